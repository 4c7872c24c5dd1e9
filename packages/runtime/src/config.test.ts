import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { commonConfig, stateDirectory } from "./common-config.ts";
import { ConfigError, parseConfig } from "./config.ts";
import { bool, int, num, port, str, url } from "./validators.ts";

function problemsOf(env: NodeJS.ProcessEnv, specs: object): readonly string[] {
  try {
    parseConfig(env, specs);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("parseConfig", () => {
  test("reads values and defaults", () => {
    const config = parseConfig(
      { ORDER_PORT: "9000", DEMO: "yes", RATIO: "0.5", PEER: "http://peer:8081/" },
      {
        ORDER_PORT: port({ default: 8080 }),
        DEMO: bool({ default: false }),
        RATIO: num(),
        PEER: url(),
        LIMIT: int({ default: 7 }),
        NAME: str({ default: undefined }),
      },
    );
    expect(config).toEqual({
      ORDER_PORT: 9000,
      DEMO: true,
      RATIO: 0.5,
      PEER: "http://peer:8081",
      LIMIT: 7,
      NAME: undefined,
    });
    expect(config.ORDER_PORT + config.LIMIT).toBe(9007);
  });

  test("reports every bad variable on a line of its own", () => {
    const env = {
      ORDER_PORT: "http",
      LOG_LEVEL: "loud",
      AMQP_URL: "amqp://localhost",
      LIMIT: "-1",
    };
    const specs = {
      ...commonConfig,
      ORDER_PORT: port({ default: 8080 }),
      LIMIT: int(),
      NAME: str(),
    };
    const problems = problemsOf(env, specs);
    expect(problems).toHaveLength(5);
    expect(problems).toEqual(
      expect.arrayContaining([
        'ORDER_PORT: "http" must be a port number from 1 to 65535 (0 = any free port)',
        'LOG_LEVEL: "loud" must be one of debug, info, warn, error',
        expect.stringMatching(/^AMQP_URL: .*no user and password.*amqp:\/\/guest:guest@/),
        'LIMIT: "-1" must be a whole number, 0 or more',
        "NAME: is not set; give it a value",
      ]),
    );
  });

  test("takes an empty variable for an unset one", () => {
    const config = parseConfig({ DATABASE_URL: "", LOG_LEVEL: " " }, commonConfig);
    expect(config.DATABASE_URL).toBeUndefined();
    expect(config.LOG_LEVEL).toBe("info");
  });

  test("shows neither a password nor a secret", () => {
    const env = { DATABASE_URL: "postgres://me:hunter2@db:5432", MESH_SECRET: "hunter3" };
    const text = problemsOf(env, commonConfig).join("\n");
    expect(text).toMatch(/DATABASE_URL: .*names no database/);
    expect(text).toMatch(/MESH_SECRET: has 7 characters/);
    expect(text).not.toMatch(/hunter/);
    const odd = {
      DATABASE_URL: "postgres://me:hunt@er@db/?password=hunter",
      MESH_SECRET: "hunter3",
    };
    expect(problemsOf(odd, commonConfig).join("\n")).not.toMatch(/hunt|er@/);
  });

  test.each([
    "postgresql:///shop?host=/var/run/postgresql",
    "postgresql://me@/shop?host=/var/run/postgresql",
    "postgres://me:se%40cret@%2Fvar%2Frun%2Fpostgresql/shop",
    "postgres:///shop",
    "postgres://me@db.example:6432/shop?sslmode=verify-full&options=-cwork_mem%3D1MB",
    "postgres://[::1]:5432/shop",
  ])("takes DATABASE_URL=%s", (url) => {
    expect(parseConfig({ DATABASE_URL: url }, commonConfig).DATABASE_URL).toBe(url);
  });

  test.each(["postgres://me:50%@db/shop", "postgres://me:%zz@db/shop", "postgres://db/a%ff"])(
    "a stray %% in DATABASE_URL=%s is said to be one",
    (url) => {
      expect(problemsOf({ DATABASE_URL: url }, commonConfig)[0]).toMatch(/^DATABASE_URL: .*%25/);
    },
  );

  test.each(["amqp://me:50%@mq", "amqp://me:%zz@mq:5672", "amqp://a:b@mq/a%ff"])(
    "a stray %% in AMQP_URL=%s is said to be one",
    (url) => {
      expect(problemsOf({ AMQP_URL: url }, commonConfig)[0]).toMatch(/^AMQP_URL: .*%25/);
    },
  );

  test.each([
    "amqp://me:secret",
    "amqp://me:secret@",
    "amqp://me:secret@mq:99999",
    "amqp://me:sec/secret@mq",
    "amqp://me:secret@secret@mq:x",
    "amqp://me:secret%@mq",
    "amqp:me:secret@mq",
    "me:secret@mq:5672",
    "http://me:secret@mq",
  ])("never shows the password of a wrong AMQP_URL: %s", (url) => {
    const [problem] = problemsOf({ AMQP_URL: url }, commonConfig);
    expect(problem).toMatch(/^AMQP_URL: /);
    expect(problem).not.toContain("secret");
  });

  test.each([
    "postgres://me:secret",
    "postgres://me:12/secret@db/shop",
    "postgres://me:1#secret@db/shop",
    "postgres://me:1?secret@db/shop",
    "postgres//me:secret@db/shop",
    "me:secret@db:5432/shop",
    "https://me:secret@db/shop",
    "postgres://me:secret@db:99999/shop",
    "postgres://db:5432/?password=secret",
    "host=db password=secret dbname=shop",
  ])("shows the password of no URL that is wrong: %s", (url) => {
    for (const variable of ["DATABASE_URL", "AUTH_JWKS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
      if (variable !== "DATABASE_URL" && url.startsWith("https:")) continue;
      const [problem] = problemsOf({ [variable]: url }, commonConfig);
      expect(problem).toMatch(new RegExp(`^${variable}: `));
      expect(problem).not.toContain("secret");
    }
  });

  test.each([
    ["DATABASE_URL", "mysql://a:b@c/d"],
    ["DATABASE_URL", "localhost"],
    ["DATABASE_URL", "postgres://db:99999/shop"],
    ["DATABASE_URL", "postgresql:///?host=/var/run/postgresql"],
    ["AMQP_URL", "http://a:b@c"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"],
    ["HOST", "http://0.0.0.0"],
    ["HOST", "0.0.0.0:8080"],
  ])("rejects %s=%s", (variable, value) => {
    expect(problemsOf({ [variable]: value }, commonConfig)).toEqual([
      expect.stringMatching(new RegExp(`^${variable}: .* such as |^${variable}: .*must`)),
    ]);
  });

  test("does not change with NODE_ENV", () => {
    const specs = { NAME: str({ default: "plain", devDefault: "dev", testDefault: "test" }) };
    expect(parseConfig({ NODE_ENV: "test" }, specs).NAME).toBe("plain");
  });
});

describe("stateDirectory", () => {
  test("is SMARTCART_STATE as an absolute path", () => {
    expect(stateDirectory({ SMARTCART_STATE: "/data/x/../y" })).toBe("/data/y");
    expect(stateDirectory({ SMARTCART_STATE: "state" })).toBe(`${process.cwd()}/state`);
  });

  test("has a default where the current user can keep state", () => {
    const folder = stateDirectory({ XDG_STATE_HOME: "/home/me/.state" });
    const isRoot = process.getuid?.() === 0;
    expect(folder).toBe(isRoot ? "/var/lib/smartcart" : "/home/me/.state/smartcart");
  });

  test("says what to set where the user has no home folder", () => {
    const { HOME: _, XDG_STATE_HOME: __, SMARTCART_STATE: ___, ...env } = process.env;
    const module = new URL("./common-config.ts", import.meta.url).href;
    // Only root can become a user without an entry in /etc/passwd; for others an empty HOME is as good.
    const script = `
      import { stateDirectory } from ${JSON.stringify(module)};
      if (process.getuid() === 0) process.setuid(54321);
      else process.env.HOME = "";
      try { console.log(stateDirectory({})); } catch (error) { console.log(error.name, error.message); }`;
    const args = ["--input-type=module", "--eval", script];
    const output = execFileSync(process.execPath, args, { encoding: "utf8", env });
    expect(output.trim()).toMatch(/^StartError .*set SMARTCART_STATE to a folder$/);
  });
});
