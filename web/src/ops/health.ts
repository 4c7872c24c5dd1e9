import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";

/** A health in a word and a tone. */
export interface HealthWord {
  readonly text: string;
  readonly tone: "good" | "warn" | "bad";
}

/** A health that a later version adds is shown as "unknown". */
export function healthOf(health: ServiceHealth): HealthWord {
  switch (health) {
    case ServiceHealth.READY:
      return { text: "ready", tone: "good" };
    case ServiceHealth.DRAINING:
      return { text: "draining", tone: "warn" };
    case ServiceHealth.NOT_READY:
      return { text: "not ready", tone: "bad" };
    case ServiceHealth.UNREACHABLE:
      return { text: "unreachable", tone: "bad" };
    default:
      return { text: "unknown", tone: "warn" };
  }
}
