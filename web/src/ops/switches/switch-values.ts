import type { Switch } from "@smartcart/gen/ops/v1/part_report_pb";

/**
 * What the switches are set to, as the operator means it: a snapshot that was taken before the answer to a click must
 * not turn the switch back under the finger.
 */
export interface SwitchValues {
  readonly meant: ReadonlyMap<string, Meant>;
}

interface Meant {
  readonly value: bigint;
  /** Snapshots that may still show the value from before; unlimited while the answer is not here. */
  readonly patience: number;
}

/** Snapshots until a switch that shows something else is believed. */
const PATIENCE = 3;

export const asReported: SwitchValues = { meant: new Map() };

/** The identity of a switch. */
export function switchKey({ part, name }: Pick<Switch, "part" | "name">): string {
  return `${part} ${name}`;
}

/** The value to show. */
export function shownValue({ meant }: SwitchValues, reported: Switch): bigint {
  return meant.get(switchKey(reported))?.value ?? reported.value;
}

/** The operator turned a switch; no answer yet. */
export function turned({ meant }: SwitchValues, key: string, value: bigint): SwitchValues {
  return { meant: new Map(meant).set(key, { value, patience: Number.POSITIVE_INFINITY }) };
}

/** The service answered with the value that the switch has now. */
export function answered({ meant }: SwitchValues, key: string, value: bigint): SwitchValues {
  return { meant: new Map(meant).set(key, { value, patience: PATIENCE }) };
}

/** It did not work: what is reported counts. */
export function refused({ meant }: SwitchValues, key: string): SwitchValues {
  const rest = new Map(meant);
  rest.delete(key);
  return { meant: rest };
}

/** A snapshot came. */
export function reported({ meant }: SwitchValues, switches: readonly Switch[]): SwitchValues {
  const rest = new Map<string, Meant>();
  for (const [key, { value, patience }] of meant) {
    const now = switches.find((one) => switchKey(one) === key);
    const agrees = now?.value === value && patience !== Number.POSITIVE_INFINITY;
    if (!agrees && patience > 1) rest.set(key, { value, patience: patience - 1 });
  }
  return { meant: rest };
}
