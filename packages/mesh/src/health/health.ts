import { once } from "node:events";
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@smartcart/gen/grpc/health/v1/health_pb";

/**
 * `grpc.health.v1`: the server as a whole is the empty name. A service is SERVING until `draining` is aborted, which
 * happens once, and NOT_SERVING from then on.
 */
export function registerHealth(
  router: ConnectRouter,
  services: readonly DescService[],
  draining: AbortSignal,
): void {
  const names = new Set(["", ...services.map((service) => service.typeName)]);
  const current = () => (draining.aborted ? Status.NOT_SERVING : Status.SERVING);

  async function* watch({ service }: { service: string }, { signal }: HandlerContext) {
    // An unknown service is not an error here: a watcher may come before the service (grpc.health.v1).
    const known = names.has(service);
    yield { status: known ? current() : Status.SERVICE_UNKNOWN };
    if (known && !draining.aborted) {
      await once(draining, "abort", { signal });
      yield { status: current() };
    }
    await once(signal, "abort");
  }

  router.service(Health, {
    check({ service }) {
      if (!names.has(service)) {
        throw new ConnectError(`There is no service "${service}" here.`, Code.NotFound);
      }
      return { status: current() };
    },
    list() {
      return {
        statuses: Object.fromEntries([...names].map((name) => [name, { status: current() }])),
      };
    },
    watch,
  });
}
