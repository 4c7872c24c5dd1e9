import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { namesUser } from "@smartcart/bus";
import type {
  ArchiveDeadLettersRequest,
  DropDeadLettersRequest,
  OpsService,
  RedriveDeadLettersRequest,
} from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Queryable } from "@smartcart/store";
import type { DeadLetterActions, Progress, Selection } from "./dead-letter-actions.ts";
import { resendDeadLetter } from "./resend-dead-letter.ts";
import {
  countArchivedUnreadable,
  deleteArchived,
  deleteArchivedOf,
  findArchived,
  listArchived,
  listArchivedWith,
} from "./store.ts";

export interface DeadLetterRouteOptions {
  readonly deadLetters: DeadLetterActions;
  readonly database: Queryable;
  readonly bus: Pick<EventBus, "publish">;
}

type DeadLetterRoutes = Pick<
  ServiceImpl<typeof OpsService>,
  | "listDeadLetters"
  | "redriveDeadLetters"
  | "dropDeadLetters"
  | "archiveDeadLetters"
  | "resendDeadLetter"
  | "listArchivedDeadLetters"
  | "eraseArchivedDeadLetters"
>;

const defaultPageSize = 100;
const defaultPerSecond = 50;

/** The RPCs about dead letters. */
export function createDeadLetterRoutes(o: DeadLetterRouteOptions): DeadLetterRoutes {
  async function* redriveDeadLetters(
    request: RedriveDeadLettersRequest,
    { signal }: HandlerContext,
  ) {
    const { limit, maxPerSecond } = request;
    const bounds = { limit, maxPerSecond: maxPerSecond || defaultPerSecond, signal };
    yield* told(o.deadLetters.redrive(selected(request), bounds));
  }

  async function* dropDeadLetters(request: DropDeadLettersRequest, { signal }: HandlerContext) {
    yield* told(o.deadLetters.drop(selected(request), signal));
  }

  async function* archiveDeadLetters(
    request: ArchiveDeadLettersRequest,
    { signal }: HandlerContext,
  ) {
    yield* told(o.deadLetters.archive(selected(request), signal));
  }

  const findDeadLetter = async (queue: string, messageId: string) =>
    (await o.deadLetters.find(queue, messageId)) ?? findArchived(o.database, queue, messageId);

  return {
    async listDeadLetters({ queue, orderId, pageSize }) {
      const limit = pageSize || defaultPageSize;
      const [deadLetters, queues] = await Promise.all([
        o.deadLetters.list({ queue, orderId, limit }),
        o.deadLetters.counts(),
      ]);
      return { deadLetters, queues };
    },
    redriveDeadLetters,
    dropDeadLetters,
    archiveDeadLetters,
    async resendDeadLetter(request) {
      return { messageId: await resendDeadLetter(request, { bus: o.bus, find: findDeadLetter }) };
    },
    async listArchivedDeadLetters({ orderId, pageSize }) {
      const limit = pageSize || defaultPageSize;
      return { deadLetters: await listArchived(o.database, orderId, limit) };
    },
    async eraseArchivedDeadLetters({ userId, orderIds }) {
      const about = await deleteArchivedOf(o.database, orderIds);
      const suspects = await listArchivedWith(o.database, userId);
      const named = suspects.filter((deadLetter) => namesUser(deadLetter, userId));
      return {
        erased: about + (await deleteArchived(o.database, named)),
        unreadable: await countArchivedUnreadable(o.database),
      };
    },
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
