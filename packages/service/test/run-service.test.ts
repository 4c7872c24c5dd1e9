/** A service as a process of its own, where what it is given is not there. */
import { describe, expect, it } from "vitest";
import {
  canTestRabbitmq,
  createTestBroker,
  freePorts,
  runCommand,
  spawnService,
} from "@smartcart/testkit";

const main = "packages/service/test/fixtures/main.ts";
/** Nothing listens there. */
const noDatabase = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };

it("is rejected in one line, before it waits for anything", async () => {
  const env = { ...noDatabase, HOST: "0.0.0.0" };
  const { code, stderr } = await runCommand(
    process.execPath,
    [new URL("fixtures/main.ts", import.meta.url).pathname],
    { env },
  );
  expect(code).toBe(1);
  expect(stderr).toBe("fixture: HOST: not to the network\n");
});

describe.skipIf(!(await canTestRabbitmq()))("on RabbitMQ", () => {
  it("does not wait for a database that it does not need", async () => {
    await using broker = await createTestBroker();
    const [port] = await freePorts(1);
    const env = { ...noDatabase, AMQP_URL: broker.amqpUrl, FIXTURE_PORT: String(port) };
    await using service = spawnService({ args: [main], env });
    await service.answers(`http://127.0.0.1:${port}/readyz`);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
  });
});
