/**
 * Named places where a process may die. In production the hook does nothing; the fault tests inject one that kills the process
 * at a given name, so that "any process can die anywhere" is tried and not argued.
 */
export interface CrashPoints {
  /** Called at the point of that name. May end the process. */
  hit(name: CrashPoint): void;
}

export const sagaSteps = [
  "receive",
  "reserve",
  "charge",
  "commit",
  "stop-shipment",
  "refund",
  "release",
] as const;

export type SagaStep = (typeof sagaSteps)[number];

export type CrashPoint =
  | `${SagaStep}.before-call`
  | `${SagaStep}.after-call`
  | `${SagaStep}.after-commit`
  | "answer.before-send";

export const noCrashPoints: CrashPoints = { hit: () => {} };

/** Kills the process, as `kill -9` would, the first time that the point is reached. */
export function crashAt(point: string): CrashPoints {
  return {
    hit(name) {
      if (name === point) process.kill(process.pid, "SIGKILL");
    },
  };
}
