/** The operations console of a running SmartCart, as the page calls it: by URL, over the network. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Invariant } from "@smartcart/gen/ops/v1/invariant_pb";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";

export type Console = ReturnType<typeof createConsoleClient>;

const patienceMs = 45_000;

export function createConsoleClient(baseUrl: string, token?: string) {
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
    /** A invariant as soon as it is as wanted. */
    invariant: (name: string, isWanted: (invariant: Invariant) => boolean) =>
      until(`invariant "${name}"`, (signal) => named(client, name, { headers, signal }), isWanted),
    turn: (service: string, name: string, value: number) =>
      client.setFaultSwitch({ service, name, value: BigInt(value) }, { headers }),
  };
}

type Call = Parameters<ReturnType<typeof createClient<typeof OpsService>>["watchMesh"]>[1];
type Client = ReturnType<typeof createClient<typeof OpsService>>;

async function* snapshots(client: Client, call: Call): AsyncGenerator<MeshSnapshot> {
  for await (const answer of client.watchMesh({ backlogSeconds: 0 }, call)) {
    yield* answer.snapshots;
  }
}

async function* named(client: Client, name: string, call: Call): AsyncGenerator<Invariant> {
  for await (const { invariants } of client.watchInvariants({}, call)) {
    yield* invariants.filter((invariant) => invariant.name === name);
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one));
}
