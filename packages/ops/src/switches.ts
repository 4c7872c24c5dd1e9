import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { SetSwitchRequest } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { SwitchSchema } from "@smartcart/gen/ops/v1/part_report_pb";
import type { PartSwitch } from "@smartcart/mesh";
import {
  DomainError,
  describeSwitch,
  problemOf,
  switchNotFound,
  turnSwitch,
} from "@smartcart/mesh";
import { partAway } from "./errors.ts";
import type { PartWatch } from "./part-watch.ts";

type SwitchInit = MessageInitShape<typeof SwitchSchema>;

/** The operator's service itself, as a part that has switches. */
const self = "ops";

/** Turns a switch of the service's own, or one in every process of another part. */
export function createSwitchBoard(o: {
  readonly watches: readonly PartWatch[];
  /** Undefined outside of demo mode. */
  readonly own: readonly PartSwitch[] | undefined;
}): (request: SetSwitchRequest) => Promise<SwitchInit> {
  return async ({ part, name, value }) => {
    // Also where another part runs in demo mode: this desk is not for breaking things then.
    if (o.own === undefined || part === self) {
      return describeSwitch(self, await turnSwitch(o.own, self, { name, value }));
    }
    const processes = o.watches.filter((watch) => watch.part === part);
    if (processes.length === 0) throw switchNotFound(part, name);
    const answers = await Promise.all(
      processes.map(({ client }) => client.turnSwitch({ name, value })),
    ).catch((error: unknown) => {
      throw explain(part, error);
    });
    const turned = answers[0]?.switch;
    if (turned === undefined) throw switchNotFound(part, name);
    return turned;
  };
}

/** What the part says of the request is meant for the operator; all else means that it could not be asked. */
function explain(part: string, error: unknown): DomainError {
  const problem = problemOf(error);
  const isRefusal = /^(DEMO_OFF|SWITCH_.*)$/.test(problem?.code ?? "");
  if (!isRefusal || problem === undefined) return partAway(part, error);
  const { rawMessage, code: rpcCode } = ConnectError.from(error);
  return new DomainError({
    code: problem.code,
    rpcCode,
    title: problem.title,
    message: rawMessage,
    cause: error,
  });
}
