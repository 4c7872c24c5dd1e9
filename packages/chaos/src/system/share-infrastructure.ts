/** Gives a run a database and a virtual host of its own on engines that several runs share, one after the other. */
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import type { Infrastructure } from "./infrastructure.ts";

/** The name must be a lower-case SQL name. The database and the virtual host stay until the engines end. */
export async function shareInfrastructure(
  { database, broker }: Infrastructure,
  name: string,
): Promise<Infrastructure> {
  await using admin = createDatabase({ url: database.url, schema: "public", log: silentLogger });
  await admin.query({ text: `create database ${name}` });
  await broker.ctl("add_vhost", name);
  await broker.ctl("set_permissions", "--vhost", name, "guest", ".*", ".*", ".*");
  // Wrapped, not copied: their ports change with each restart.
  return {
    database: wrap(database, (url) => url.replace(/[^/]*$/, name)),
    broker: wrap(broker, (url) => `${url.replace(/\/$/, "")}/${name}`),
    [Symbol.asyncDispose]: async () => {},
  };
}

function wrap<T extends { readonly url: string }>(engine: T, urlOf: (url: string) => string): T {
  return new Proxy(engine, {
    get: (target, property) =>
      property === "url" ? urlOf(target.url) : Reflect.get(target, property, target),
  });
}
