/**
 * Named places where a process may die. In production the hook does nothing; the fault tests inject one that kills the process
 * at a given name, so that "any process can die anywhere" is tried and not argued.
 */
export interface CrashPoints {
  /** Called at the point of that name. May end the process. */
  hit(name: CrashPoint): void;
}

const sagaSteps = [
  "receive",
  "reserve",
  "charge",
  "commit",
  "stop-shipment",
  "refund",
  "release",
] as const;

/** A step of the saga as crash points, spans and log events name it. */
export type SagaStep = (typeof sagaSteps)[number];

const places = ["before-call", "after-call", "after-commit"] as const;

/** To receive an order is to store it: there is no call that could be over. */
type NoPoint = "receive.after-call";

/** `<step>.<place>`. `before-call` and `after-call` are around the call to the other service; `after-commit` follows the write of its result. */
export type CrashPoint =
  | Exclude<`${SagaStep}.${(typeof places)[number]}`, NoPoint>
  | "answer.before-send";

/** Every point there is, in the order of an order's life. */
export const allCrashPoints: readonly CrashPoint[] = [
  ...sagaSteps.flatMap((step) => places.map((place) => `${step}.${place}` as const)),
  "answer.before-send" as const,
].filter((point) => point !== "receive.after-call");

export const noCrashPoints: CrashPoints = { hit: () => {} };

/** Kills the process, as `kill -9` would, the first time that the point is reached. */
export function crashAt(point: string): CrashPoints {
  return {
    hit(name) {
      if (name === point) process.kill(process.pid, "SIGKILL");
    },
  };
}
