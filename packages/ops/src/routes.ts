import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type {
  ArchiveDeadLettersRequest,
  DropDeadLettersRequest,
  OpsService,
  RedriveDeadLettersRequest,
  WatchMeshRequest,
} from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Queryable } from "@smartcart/store";
import type { DeadLetterActions, Progress, Selection } from "./dead-letter-actions.ts";
import type { createFaultSwitches } from "./fault-switches.ts";
import type { Feed } from "./feed.ts";
import type { InvariantWatch } from "./invariant-watch.ts";
import type { MeshWatch } from "./mesh-watch.ts";
import type { StorySources } from "./order-story.ts";
import { tellOrderStory } from "./order-story.ts";
import { resendDeadLetter } from "./resend-dead-letter.ts";
import { findArchived, listArchived, listMinutes } from "./store.ts";

export interface RouteOptions {
  readonly mesh: MeshWatch;
  /** Gets every snapshot. */
  readonly snapshots: Feed<MeshSnapshot>;
  readonly invariants: InvariantWatch;
  readonly letters: DeadLetterActions;
  readonly database: Queryable;
  readonly bus: Pick<EventBus, "publish">;
  /** Who is asked for the story of an order. */
  readonly sources: Omit<StorySources, "letters">;
  readonly setFaultSwitch: ReturnType<typeof createFaultSwitches>;
}

const defaultPageSize = 100;
const defaultPerSecond = 50;

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

  async function* redriveDeadLetters(
    request: RedriveDeadLettersRequest,
    { signal }: HandlerContext,
  ) {
    const { limit, maxPerSecond } = request;
    const bounds = { limit, maxPerSecond: maxPerSecond || defaultPerSecond, signal };
    yield* told(o.letters.redrive(selected(request), bounds));
  }

  async function* dropDeadLetters(request: DropDeadLettersRequest, { signal }: HandlerContext) {
    yield* told(o.letters.drop(selected(request), signal));
  }

  async function* archiveDeadLetters(
    request: ArchiveDeadLettersRequest,
    { signal }: HandlerContext,
  ) {
    yield* told(o.letters.archive(selected(request), signal));
  }

  const findLetter = async (queue: string, messageId: string) =>
    (await o.letters.find(queue, messageId)) ?? findArchived(o.database, queue, messageId);

  return {
    watchMesh,
    watchInvariants,
    reconcile: () => o.invariants.reconcile(),
    async listDeadLetters({ queue, orderId, pageSize }) {
      const limit = pageSize || defaultPageSize;
      const [deadLetters, queues] = await Promise.all([
        o.letters.list({ queue, orderId, limit }),
        o.letters.counts(),
      ]);
      return { deadLetters, queues };
    },
    redriveDeadLetters,
    dropDeadLetters,
    archiveDeadLetters,
    async resendDeadLetter(request) {
      return { messageId: await resendDeadLetter(request, { bus: o.bus, find: findLetter }) };
    },
    async listArchivedDeadLetters({ orderId, pageSize }) {
      const limit = pageSize || defaultPageSize;
      return { deadLetters: await listArchived(o.database, orderId, limit) };
    },
    async getOrderStory({ orderId }, context) {
      const sources = { ...o.sources, letters: o.letters };
      return { story: await tellOrderStory(orderId, sources, context) };
    },
    listMeshHistory: async () => ({ minutes: await listMinutes(o.database) }),
    setFaultSwitch: async (request) => ({ faultSwitch: await o.setFaultSwitch(request) }),
  };
}

/** Validation lets no request without one through. */
function selected({ selection }: { readonly selection?: Selection | undefined }): Selection {
  return selection ?? { queue: "", messageIds: [] };
}

async function* told(steps: AsyncIterable<Progress>) {
  for await (const { done, total } of steps) {
    yield { progress: { done: BigInt(done), total: BigInt(total) } };
  }
}
