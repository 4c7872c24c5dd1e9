import { PartHealth } from "@smartcart/gen/ops/v1/part_report_pb";

/** A health in a word and a tone. */
export interface HealthWord {
  readonly text: string;
  readonly tone: "good" | "warn" | "bad";
}

export function healthOf(health: PartHealth): HealthWord {
  switch (health) {
    case PartHealth.READY:
      return { text: "ready", tone: "good" };
    case PartHealth.DRAINING:
      return { text: "draining", tone: "warn" };
    case PartHealth.NOT_READY:
      return { text: "not ready", tone: "bad" };
    case PartHealth.AWAY:
      return { text: "away", tone: "bad" };
    default:
      return { text: "unknown", tone: "warn" };
  }
}
