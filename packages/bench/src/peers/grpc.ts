/** How both peers use `@grpc/grpc-js` and `@grpc/proto-loader`, by their documentation. */
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

type Service = "Inventory" | "Payment";

const definition = loadSync(fileURLToPath(new URL("./shop.proto", import.meta.url)), {
  keepCase: false,
  defaults: true,
});
const { shop } = grpc.loadPackageDefinition(definition) as unknown as {
  shop: Record<Service, grpc.ServiceClientConstructor>;
};

/** Serves one service; `handlers` answer its methods by name. */
export async function serve(
  name: Service,
  port: number,
  handlers: Record<string, (request: never) => Promise<object> | object>,
): Promise<void> {
  const server = new grpc.Server();
  const methods = Object.entries(handlers).map(([method, handle]) => [
    method,
    (call: grpc.ServerUnaryCall<never, object>, callback: grpc.sendUnaryData<object>): void => {
      Promise.resolve(handle(call.request)).then(
        (reply) => callback(null, reply),
        (error) => callback(error as Error),
      );
    },
  ]);
  server.addService(shop[name].service, Object.fromEntries(methods));
  const address = `127.0.0.1:${port}`;
  await promisify(server.bindAsync.bind(server))(address, grpc.ServerCredentials.createInsecure());
}

/** A unary call of a service by name. */
export function connect<I extends object, O>(
  name: Service,
  port: number,
  method: string,
): (request: I) => Promise<O> {
  const client = new shop[name](`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const call = client[method] as (
    request: I,
    callback: (error: Error | null, reply: O) => void,
  ) => void;
  return (request) =>
    new Promise((resolve, reject) => {
      call.call(client, request, (error, reply) => (error ? reject(error) : resolve(reply)));
    });
}
