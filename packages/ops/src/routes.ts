import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { OpsService, WatchMeshRequest } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { DeadLetterRouteOptions } from "./dead-letter-routes.ts";
import { createDeadLetterRoutes } from "./dead-letter-routes.ts";
import type { createFaultSwitches } from "./fault-switches.ts";
import type { Feed } from "./feed.ts";
import type { InvariantWatch } from "./invariant-watch.ts";
import type { MeshWatch } from "./mesh-watch.ts";
import type { StorySources } from "./order-story.ts";
import { tellOrderStory } from "./order-story.ts";
import { listMinutes } from "./store.ts";

interface RouteOptions extends DeadLetterRouteOptions {
  readonly mesh: MeshWatch;
  /** Gets every snapshot. */
  readonly snapshots: Feed<MeshSnapshot>;
  readonly invariants: InvariantWatch;
  /** Where the story of an order comes from. */
  readonly sources: Omit<StorySources, "deadLetters">;
  readonly setFaultSwitch: ReturnType<typeof createFaultSwitches>;
}

/** The RPCs of smartcart.ops.v1.OpsService. */
export function createOpsRoutes(o: RouteOptions): ServiceImpl<typeof OpsService> {
  async function* watchMesh({ backlogSeconds }: WatchMeshRequest, { signal }: HandlerContext) {
    const news = o.snapshots.follow(signal);
    const past = o.mesh.past(backlogSeconds);
    if (past.length > 0) yield { snapshots: [...past] };
    for await (const snapshot of news) yield { snapshots: [snapshot] };
  }

  async function* watchInvariants(_: unknown, { signal }: HandlerContext) {
    const news = o.invariants.feed.follow(signal);
    yield { invariants: o.invariants.invariants() };
    for await (const invariants of news) yield { invariants };
  }

  return {
    watchMesh,
    watchInvariants,
    reconcile: () => o.invariants.reconcile(),
    ...createDeadLetterRoutes(o),
    async getOrderStory({ orderId }, context) {
      const sources = { ...o.sources, deadLetters: o.deadLetters };
      return { story: await tellOrderStory(orderId, sources, context) };
    },
    listMeshHistory: async () => ({ minutes: await listMinutes(o.database) }),
    setFaultSwitch: async (request) => ({ faultSwitch: await o.setFaultSwitch(request) }),
  };
}
