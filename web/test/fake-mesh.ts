/** The data of the fake ops service: a mesh under a steady load, with a few problems. */
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { addFakeCatalogue } from "./fake-catalogue.ts";
import { fakeDeadLetters, fakeInvariants, fakeSwitches } from "./fake-console-data.ts";
import { fakeLogRecords } from "./fake-log.ts";
import { fakeMinutes, fakeStory, fakeSummary } from "./fake-orders.ts";
import { fakeSnapshot } from "./fake-snapshot.ts";

export interface FakeMeshOptions {
  /** Orders a second that seem to pass. Default: 24. */
  readonly ordersPerSecond?: number;
  /** Orders that seem to be on their way. Default: as many as come in three seconds. */
  readonly ordersOnTheWay?: number;
  /** Calls must bear it. Default: none is needed. */
  readonly token?: string;
  /** A service that does not answer. Default: none. */
  readonly unreachableService?: string;
  /** Nothing that should be looked at: no dead letters, no broken invariant. Default: false. */
  readonly isHealthy?: boolean;
}

/** Snapshots of the past in the first answer. */
const pastSeconds = 300;

export function createFakeMesh(options: FakeMeshOptions): {
  readonly routes: (router: ConnectRouter) => void;
} {
  const { token, isHealthy = false } = options;
  let deadLetters = isHealthy ? [] : fakeDeadLetters();
  const faultSwitches = fakeSwitches();
  let repaired = isHealthy;
  let archive: ReturnType<typeof fakeDeadLetters> = [];
  const check = ({ requestHeader }: HandlerContext): void => {
    if (token && requestHeader.get("authorization") !== `Bearer ${token}`) {
      throw new ConnectError("a token is needed", Code.Unauthenticated);
    }
  };
  const snapshotAt = (second: number) =>
    fakeSnapshot({ ...options, second, deadLetters, faultSwitches });
  const now = (): number => Math.floor(Date.now() / 1_000);

  async function* remove(queue: string, ids: readonly string[]) {
    const chosen = deadLetters.filter(
      (deadLetter) =>
        deadLetter.queue === queue && (ids.length === 0 || ids.includes(deadLetter.messageId)),
    );
    let done = 0;
    for (const deadLetter of chosen) {
      await delay(30);
      deadLetters = deadLetters.filter((other) => other !== deadLetter);
      done += 1;
      yield { progress: { done: BigInt(done), total: BigInt(chosen.length) } };
    }
  }

  return {
    routes(router) {
      addFakeCatalogue(router, check);
      router.service(OpsService, {
        async *watchMesh({ backlogSeconds }, context) {
          check(context);
          const past = Math.min(pastSeconds, backlogSeconds);
          let second = now();
          yield {
            snapshots: Array.from({ length: past + 1 }, (_, index) => ({
              ...snapshotAt(second - past + index),
              ...(index < past && { hops: [] }),
            })),
          };
          while (!context.signal.aborted) {
            await delay(1_000 - (Date.now() % 1_000), undefined, { signal: context.signal });
            second = Math.max(second + 1, now());
            yield { snapshots: [snapshotAt(second)] };
          }
        },
        async *watchInvariants(_request, context) {
          check(context);
          yield { invariants: fakeInvariants(repaired) };
          await delay(3_600_000, undefined, { signal: context.signal });
        },
        reconcile(_request, context) {
          check(context);
          const repairs = repaired
            ? []
            : [
                {
                  invariant: "no payment without an order",
                  orderId: deadLetters[0]?.orderId ?? "ORD-1",
                  action: "refund",
                },
              ];
          repaired = true;
          return { repairs, invariants: fakeInvariants(true) };
        },
        listDeadLetters(_request, context) {
          check(context);
          const count = BigInt(deadLetters.length);
          return {
            deadLetters,
            queues: count ? [{ queue: "orders", deadLetters: count }] : [],
          };
        },
        async *redriveDeadLetters({ selection }, context) {
          check(context);
          yield* remove(selection?.queue ?? "", selection?.messageIds ?? []);
        },
        async *dropDeadLetters({ selection }, context) {
          check(context);
          yield* remove(selection?.queue ?? "", selection?.messageIds ?? []);
        },
        async *archiveDeadLetters({ selection }, context) {
          check(context);
          const ids = selection?.messageIds ?? [];
          archive = [
            ...deadLetters.filter(({ messageId }) => ids.length === 0 || ids.includes(messageId)),
            ...archive,
          ];
          yield* remove(selection?.queue ?? "", ids);
        },
        resendDeadLetter({ messageId, messageJson }, context) {
          check(context);
          if (!/^\{.*\}$/s.test(messageJson)) {
            throw new ConnectError("The body is not JSON.", Code.InvalidArgument);
          }
          return { messageId: `${messageId}:copy-1` };
        },
        listArchivedDeadLetters(_request, context) {
          check(context);
          return { deadLetters: archive };
        },
        getOrderStory({ orderId }, context) {
          check(context);
          return { story: fakeStory(orderId, now()) };
        },
        listMeshHistory(_request, context) {
          check(context);
          return { minutes: fakeMinutes(now()) };
        },
        setFaultSwitch({ service, name, value }, context) {
          check(context);
          const found = faultSwitches.find((one) => one.service === service && one.name === name);
          if (!found) throw new ConnectError("there is no such switch", Code.NotFound);
          found.value = value;
          return { faultSwitch: found };
        },
      });
      router.service(OrderAdminService, {
        searchOrders(_request, context) {
          check(context);
          return { orders: [fakeSummary("ORD-FAKE-1", now()), fakeSummary("ORD-FAKE-2", now())] };
        },
      });
      router.service(LogService, {
        searchLogs: ({ filter }) => ({
          records: fakeLogRecords(now() - 5, 40, filter).toReversed(),
        }),
        async *tailLogs({ filter, backlog }, context) {
          yield { records: fakeLogRecords(now(), Math.min(100, backlog), filter) };
          // Every service writes a line or two an order.
          const perTick = Math.max(1, Math.round((options.ordersPerSecond ?? 24) / 2));
          while (!context.signal.aborted) {
            await delay(100, undefined, { signal: context.signal });
            yield { records: fakeLogRecords(Date.now() / 1_000, perTick, filter) };
          }
        },
      });
    },
  };
}
