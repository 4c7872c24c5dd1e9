import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { FaultSwitchSchema } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { SetFaultSwitchRequest } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { FaultSwitch } from "@smartcart/mesh";
import {
  DomainError,
  describeFaultSwitch,
  problemOf,
  setInstanceFaultSwitch,
  switchNotFound,
} from "@smartcart/mesh";
import { serviceUnreachable } from "./errors.ts";
import type { InstanceWatch } from "./instance-watch.ts";

type SwitchInit = MessageInitShape<typeof FaultSwitchSchema>;

/** The ops service itself, as a service that has faultSwitches. */
const self = "ops";

/** Turns a switch of the service's own, or one in every process of another service. */
export function createFaultSwitches(o: {
  readonly watches: readonly InstanceWatch[];
  /** Undefined outside of demo mode. */
  readonly own: readonly FaultSwitch[] | undefined;
}): (request: SetFaultSwitchRequest) => Promise<SwitchInit> {
  return async ({ service, name, value }) => {
    // Also where another service runs in demo mode: this console is not for breaking things then.
    if (o.own === undefined || service === self) {
      return describeFaultSwitch(self, await setInstanceFaultSwitch(o.own, self, { name, value }));
    }
    const processes = o.watches.filter((watch) => watch.service === service);
    if (processes.length === 0) throw switchNotFound(service, name);
    const answers = await Promise.all(
      processes.map(({ client }) => client.setInstanceFaultSwitch({ name, value })),
    ).catch((error: unknown) => {
      throw explain(service, error);
    });
    const turned = answers[0]?.faultSwitch;
    if (turned === undefined) throw switchNotFound(service, name);
    return turned;
  };
}

/** An answer of the service about the request is passed to the operator; any other error means that it was not reached. */
function explain(service: string, error: unknown): DomainError {
  const problem = problemOf(error);
  const isRefusal = /^(DEMO_OFF|SWITCH_.*)$/.test(problem?.code ?? "");
  if (!isRefusal || problem === undefined) return serviceUnreachable(service, error);
  const { rawMessage, code: rpcCode } = ConnectError.from(error);
  return new DomainError({
    code: problem.code,
    rpcCode,
    title: problem.title,
    message: rawMessage,
    cause: error,
  });
}
