import type { FaultSwitch } from "@smartcart/gen/ops/v1/instance_report_pb";

/**
 * What the faultSwitches are set to, as the operator means it: a snapshot that was taken before the answer to a click must
 * not turn the switch back under the finger.
 */
export interface FaultSwitchValues {
  readonly meant: ReadonlyMap<string, Meant>;
}

interface Meant {
  readonly value: bigint;
  /** Snapshots that may still show the value from before; unlimited while the answer is not here. */
  readonly patience: number;
}

/** Snapshots that may contradict the operator's value before the reported one is shown. */
const fullPatience = 3;

/** Shows what the services report. */
export const asReported: FaultSwitchValues = { meant: new Map() };

/** The identity of a switch. */
export function switchKey({ service, name }: Pick<FaultSwitch, "service" | "name">): string {
  return `${service} ${name}`;
}

/** The value to show. */
export function shownValue({ meant }: FaultSwitchValues, reported: FaultSwitch): bigint {
  return meant.get(switchKey(reported))?.value ?? reported.value;
}

/** The operator turned a switch; no answer yet. */
export function turned(
  { meant }: FaultSwitchValues,
  key: string,
  value: bigint,
): FaultSwitchValues {
  return { meant: new Map(meant).set(key, { value, patience: Number.POSITIVE_INFINITY }) };
}

/** The service answered with the value that the switch has now. */
export function answered(
  { meant }: FaultSwitchValues,
  key: string,
  value: bigint,
): FaultSwitchValues {
  return { meant: new Map(meant).set(key, { value, patience: fullPatience }) };
}

/** It did not work: what is reported counts. */
export function refused({ meant }: FaultSwitchValues, key: string): FaultSwitchValues {
  const rest = new Map(meant);
  rest.delete(key);
  return { meant: rest };
}

/** A snapshot came. */
export function reported(
  { meant }: FaultSwitchValues,
  faultSwitches: readonly FaultSwitch[],
): FaultSwitchValues {
  const rest = new Map<string, Meant>();
  for (const [key, { value, patience }] of meant) {
    const now = faultSwitches.find((one) => switchKey(one) === key);
    const agrees = now?.value === value && patience !== Number.POSITIVE_INFINITY;
    if (!agrees && patience > 1) rest.set(key, { value, patience: patience - 1 });
  }
  return { meant: rest };
}
