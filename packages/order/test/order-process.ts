/** One process' worth of the order service: several may share a database, and each may die at a crash point. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createAdmission } from "../src/admission.ts";
import { cancelOrder } from "../src/cancel-order.ts";
import { createCatalogue } from "../src/catalogue.ts";
import type { CrashPoint, CrashPoints } from "../src/crash-points.ts";
import { noCrashPoints } from "../src/crash-points.ts";
import { placeOrder } from "../src/place-order.ts";
import { createOrderRepository } from "../src/repository.ts";
import { createOrderSaga } from "../src/saga/order-saga.ts";
import type { Peers } from "../src/saga/steps.ts";
import { anOrderRequest } from "./an-order-request.ts";

export interface ProcessOptions {
  readonly database: Database;
  readonly peers: Peers;
  /** How long a request waits for the outcome, in milliseconds. Default 10,000. */
  readonly answerTimeoutMs?: number;
  /** How long a call may take before what is known is shown, in milliseconds. Default: the saga's. */
  readonly slowAfterMs?: number;
}

/** What a caller sees of a process that died, or broke down, under way: the connection is gone. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

export type OrderProcess = ReturnType<typeof startProcess>;

export function startProcess(options: ProcessOptions) {
  const { database, peers, answerTimeoutMs = 10_000, slowAfterMs } = options;
  let injected: CrashPoints = noCrashPoints;
  let dead = false;
  const now = () => new Date();
  const repository = createOrderRepository(database);
  const crashPoints: CrashPoints = {
    hit(name) {
      if (dead) throw new InterruptedError(`dead before ${name}`);
      injected.hit(name);
    },
  };
  // Slow machines are not what these tests are about.
  const giveUpAfterMs = 60_000;
  const saga = createOrderSaga({
    ...{ repository, peers, log: silentLogger, now, crashPoints, giveUpAfterMs },
    ...(slowAfterMs !== undefined && { slowAfterMs }),
  });
  const dependencies = {
    ...{ repository, saga, now, database, crashPoints, answerTimeoutMs, log: silentLogger, peers },
    admission: createAdmission(),
    catalogue: createCatalogue({ inventory: peers.inventory, log: silentLogger }),
  };
  /** A dead process answers no request. */
  async function unlessDead<T>(work: () => Promise<T>): Promise<T> {
    if (dead) throw new InterruptedError("dead");
    const outcome = await work().finally(() => {
      if (dead) throw new InterruptedError("dead");
    });
    return outcome;
  }
  return {
    repository,
    saga,
    dependencies,
    crash(points: CrashPoints) {
      injected = points;
    },
    /** Throws at the point once, and lives on. */
    throwAt(point: CrashPoint) {
      injected = {
        hit(name) {
          if (name !== point) return;
          injected = noCrashPoints;
          throw new InterruptedError(`interrupted at ${name}`);
        },
      };
    },
    /** Dies at the point, when it is reached for the first time: whatever it was doing ends there. */
    dieAt(point: CrashPoint) {
      injected = {
        hit(name) {
          if (name !== point) return;
          dead = true;
          saga.stop();
          throw new InterruptedError(`died at ${name}`);
        },
      };
    },
    get dead() {
      return dead;
    },
    /** Whether it never came to the point where it was to die or to throw. */
    get unharmed() {
      return !dead && injected !== noCrashPoints;
    },
    place: (request: MessageInitShape<typeof PlaceOrderRequestSchema> = {}, key?: string) =>
      unlessDead(() => placeOrder(anOrderRequest(request), key, dependencies)),
    cancel: (orderId: string) => unlessDead(() => cancelOrder(orderId, dependencies)),
  };
}
