/** Clients of the services that call as an operator. */
import type { DescService } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient } from "@smartcart/mesh";
import type { Attached } from "./attach.ts";

/** Disposing closes the connections. */
export interface OperatorClients extends Disposable {
  readonly order: ServiceClient<typeof OrderService>;
  readonly payment: ServiceClient<typeof PaymentService>;
  readonly shipping: ServiceClient<typeof ShippingService>;
  readonly log: ServiceClient<typeof LogService>;
  readonly ops: ServiceClient<typeof OpsService>;
  /** Options of every call: the operator's token. */
  readonly as: CallOptions;
}

/** Connects at the first call. Without OPS_TOKEN the calls carry no token: they pass only where the services trust this machine. */
export function createOperatorClients({ urls, opsToken, tls, log }: Attached): OperatorClients {
  const clients = new DisposableStack();
  const client = <S extends DescService>(service: S, name: string) =>
    clients.use(
      createServiceClient(service, { caller: "operator", baseUrl: urls[name] ?? "", log, tls }),
    );
  return {
    order: client(OrderService, "order"),
    payment: client(PaymentService, "payment"),
    shipping: client(ShippingService, "shipping"),
    log: client(LogService, "log"),
    ops: client(OpsService, "ops"),
    as: opsToken === undefined ? {} : { headers: { authorization: `Bearer ${opsToken}` } },
    [Symbol.dispose]: () => clients.dispose(),
  };
}
