/** What is seen of services that come, go and run several times. */
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { MeshSnapshot, ServiceState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { createFaultSwitch, problemOf } from "@smartcart/mesh";
import { waitFor } from "@smartcart/testkit";
import type { World } from "./world.ts";
import { createWorld, startInstance } from "./world.ts";

/** Follows the snapshots, and answers the latest state of a service. */
function watch({ client }: World) {
  const stop = new AbortController();
  let latest: MeshSnapshot | undefined;
  const following = (async () => {
    for await (const { snapshots } of client.watchMesh({}, { signal: stop.signal })) {
      latest = snapshots.at(-1) ?? latest;
    }
  })().catch(() => {});
  return {
    snapshot: () => latest,
    service: (name: string) => latest?.services.find(({ service }) => service === name),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

const patient = { timeoutMs: 30_000 };
const is = (health: ServiceHealth) => (service: ServiceState | undefined) =>
  service?.health === health;

describe("a service", () => {
  it("is away until it answers, and away again when it is gone; several processes are one service", async () => {
    const first = await startInstance("shipping");
    const second = await startInstance("shipping");
    const both = `shipping=${first.url},shipping=${second.url}`;
    await using world = await createWorld("postgres", { OPS_INSTANCES: both });
    await using seen = watch(world);
    await waitFor(() => seen.service("shipping")?.processes === 2, patient);
    expect(seen.service("shipping")?.health).toBe(ServiceHealth.READY);
    expect(seen.service("order")).toMatchObject({
      health: ServiceHealth.UNREACHABLE,
      processes: 0,
    });

    await first[Symbol.asyncDispose]();
    await waitFor(() => is(ServiceHealth.UNREACHABLE)(seen.service("shipping")), patient);
    expect(seen.service("shipping")?.processes).toBe(1);
    // It comes back where it was.
    await using _ = await startInstance("shipping", { port: first.port });
    await waitFor(() => is(ServiceHealth.READY)(seen.service("shipping")), patient);
    await second[Symbol.asyncDispose]();
  });

  it("has its faultSwitches turned in all its processes, or it is said why not", async () => {
    const stops = [0, 1].map(() => createFaultSwitch({ name: "stop", title: "Begin no shipment" }));
    await using first = await startInstance("shipping", { faultSwitches: stops.slice(0, 1) });
    await using second = await startInstance("shipping", { faultSwitches: stops.slice(1) });
    await using calm = await startInstance("log");
    const OPS_INSTANCES = `shipping=${first.url},shipping=${second.url},log=${calm.url}`;
    await using world = await createWorld("postgres", { OPS_INSTANCES, SMARTCART_DEMO: "1" });
    const turn = (service: string) =>
      world.client.setFaultSwitch({ service, name: "stop", value: 1n }).then(
        () => "done",
        (error: unknown) => problemOf(error)?.code,
      );
    expect(await turn("shipping")).toBe("done");
    expect(stops.map((one) => one.value())).toEqual([1, 1]);
    expect(await turn("log")).toBe("DEMO_OFF");
    expect(await turn("payment")).toBe("SERVICE_UNREACHABLE");
    expect(await turn("moon")).toBe("SWITCH_NOT_FOUND");
    await using seen = watch(world);
    await waitFor(() => seen.snapshot()?.faultSwitches.some(({ value }) => value === 1n), patient);
    const named = seen.snapshot()?.faultSwitches.map(({ service, name }) => `${service} ${name}`);
    expect(named).toEqual(["shipping stop", "ops load"]);
  });
});

describe("without a token", () => {
  it("a caller that comes by a proxy from elsewhere, or by another name, is not trusted", async () => {
    await using world = await createWorld("postgres");
    const list = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const url = `${world.url}/smartcart.ops.v1.OpsService/ListDeadLetters`;
        const sent = { "content-type": "application/json", ...headers };
        request(url, { method: "POST", headers: sent }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on("error", reject)
          .end("{}");
      });
    expect(await list({})).toBe(200);
    expect(await list({ host: "localhost:5173", "x-forwarded-for": "127.0.0.1" })).toBe(200);
    expect(await list({ "x-forwarded-for": "127.0.0.1, 10.0.0.7" })).toBe(401);
    expect(await list({ "x-forwarded-host": "[::1]:5173" })).toBe(200);
    expect(await list({ "x-forwarded-host": "evil.example" })).toBe(401);
    expect(await list({ host: "shop.example.org" })).toBe(421);
  });
});
