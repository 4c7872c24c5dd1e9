/** The operator's desk of a running SmartCart, as the page calls it: by URL, over the network. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Promise as Kept } from "@smartcart/gen/ops/v1/promise_pb";

export type Desk = ReturnType<typeof createDesk>;

const patienceMs = 45_000;

export function createDesk(baseUrl: string, token?: string) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1" });
  const client = createClient(OpsService, transport);

  /** The first of a stream that is as wanted. */
  async function until<T>(
    what: string,
    stream: (signal: AbortSignal) => AsyncIterable<T>,
    isWanted: (one: T) => boolean,
  ): Promise<T> {
    const enough = new AbortController();
    const late = setTimeout(() => enough.abort(), patienceMs);
    let last: T | undefined;
    try {
      for await (const one of stream(enough.signal)) {
        last = one;
        if (isWanted(one)) return one;
      }
    } catch (cause) {
      if (!enough.signal.aborted) throw cause;
    } finally {
      clearTimeout(late);
      enough.abort();
    }
    throw new Error(`${what} did not come about; the last that was told: ${text(last)}`);
  }

  return {
    client,
    headers,
    /** The first snapshot that is as wanted. */
    snapshot: (what: string, isWanted: (snapshot: MeshSnapshot) => boolean) =>
      until(what, (signal) => snapshots(client, { headers, signal }), isWanted),
    /** A promise as soon as it is as wanted. */
    promise: (name: string, isWanted: (promise: Kept) => boolean) =>
      until(`promise "${name}"`, (signal) => named(client, name, { headers, signal }), isWanted),
    turn: (part: string, name: string, value: number) =>
      client.setSwitch({ part, name, value: BigInt(value) }, { headers }),
  };
}

type Call = Parameters<ReturnType<typeof createClient<typeof OpsService>>["watchMesh"]>[1];
type Client = ReturnType<typeof createClient<typeof OpsService>>;

async function* snapshots(client: Client, call: Call): AsyncGenerator<MeshSnapshot> {
  for await (const answer of client.watchMesh({ backlogSeconds: 0 }, call)) {
    yield* answer.snapshots;
  }
}

async function* named(client: Client, name: string, call: Call): AsyncGenerator<Kept> {
  for await (const { promises } of client.watchPromises({}, call)) {
    yield* promises.filter((promise) => promise.name === name);
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one));
}
