/** `compose.yaml` without Docker: the environment and command of each of its services, with its hosts and ports on this machine. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";

/** What stands in the place of the containers. */
export interface ComposeTargets {
  /** TCP port by service, in the place of the one in the file. */
  readonly ports: Readonly<Record<string, number>>;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  /** In the place of "smartcart" in the names of roles, which belong to the whole server. */
  readonly rolePrefix: string;
}

/** A service of the file that runs a program of ours. */
export interface ComposeService {
  /** Arguments to Node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface ComposeFile {
  readonly services: Readonly<
    Record<string, { readonly command?: string[]; readonly environment?: Record<string, unknown> }>
  >;
}

const file = new URL("../../../compose.yaml", import.meta.url);

/** The services by name, with the file's defaults for what it takes from the environment. */
export async function readCompose(
  o: ComposeTargets,
): Promise<Readonly<Record<string, ComposeService>>> {
  const text = (await readFile(file, "utf8")).replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");
  const { services } = parse(text, { merge: true }) as ComposeFile;
  return Object.fromEntries(
    Object.entries(services).flatMap(([name, { command = [], environment = {} }]) => {
      if (command[0] !== "node") return [];
      const entries = Object.entries(environment).map(([variable, value]) => {
        return [variable, onThisMachine(variable, String(value ?? ""), o.ports[name], o)] as const;
      });
      return [[name, { args: command.slice(1), env: Object.fromEntries(entries) }] as const];
    }),
  );
}

function onThisMachine(
  variable: string,
  value: string,
  ownPort: number | undefined,
  { ports, databaseUrl, amqpUrl, rolePrefix }: ComposeTargets,
): string {
  if (variable.endsWith("_PORT")) return String(ownPort);
  // The page.
  if (variable === "TRUSTED_PROXIES") return "127.0.0.1";
  const url = URL.parse(value);
  if (url === null) return value;
  const target = { postgres: databaseUrl, rabbitmq: amqpUrl }[url.hostname];
  if (target === undefined) {
    const port = ports[url.hostname];
    return port === undefined ? value : `http://127.0.0.1:${port}`;
  }
  const there = new URL(target);
  there.username = url.username.replace(/^smartcart/, rolePrefix);
  there.password = url.password;
  return there.href;
}

/** The passwords that the job "roles" of the file gives, by service. */
export const composePasswords: Readonly<Record<string, string>> = Object.fromEntries(
  ["order", "inventory", "payment", "shipping", "notification", "status-hub", "log", "ops"].map(
    (service) => [service, `${service}-password`],
  ),
);
