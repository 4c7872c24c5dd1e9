/** `npm start`, from the first start on a fresh machine to its end and beyond. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRunning, processTree, runCommand, waitFor } from "@smartcart/testkit";
import { seedBody, wholeLife } from "./stack.ts";
import { choosePorts, spawnWhole, startWhole } from "./whole-process.ts";

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "smartcart-start-"));
  // Where root runs the tests, PostgreSQL runs as another user, who has to enter the folder.
  await chmod(folder, 0o755);
  env = {
    ...(await choosePorts()),
    SMARTCART_STATE: join(folder, "state"),
    SHIPPING_DELAY_MS: "100",
    // of a shell that has psql set up for another server
    PGHOST: "db.invalid",
    PGPASSWORD: "wrong",
    PGSSLMODE: "require",
    PGSSLNEGOTIATION: "direct",
    PGOPTIONS: "-c default_transaction_read_only=on",
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The process id of the PostgreSQL that runs on the state folder. */
async function postgresPid(): Promise<number> {
  const file = join(folder, "state", "postgres", "data", "postmaster.pid");
  return Number((await readFile(file, "utf8")).split("\n")[0]);
}

// One after the other on one state folder, as a person would do it.
describe("npm start", { timeout: 120_000 }, () => {
  let orderId: string;

  it("prints one table of URLs and a line that places an order", async () => {
    await using smartcart = await startWhole(env);
    const output = smartcart.output();
    for (const service of [
      "web",
      "order",
      "inventory",
      "payment",
      "log",
      "notification",
      "shipping",
    ]) {
      expect(output, service).toContain(smartcart.urls[service]);
    }
    expect(output).toContain(`${smartcart.urls["status-hub"]?.replace("http", "ws")}/ws`);
    expect(output).toMatch(new RegExp(`^ +Operations console +${smartcart.urls.web}/ops$`, "m"));
    expect(output.match(/^ +curl -i \S+\/placeOrder .*-d '.*'$/m)?.[0]).toContain(
      `${smartcart.urls.order}/placeOrder`,
    );

    const { status, body } = await smartcart.place(seedBody);
    expect(status).toBe(201);
    orderId = body.orderId;
    expect(await smartcart.history(orderId, "Shipped")).toEqual(wholeLife);
    const page = await fetch(`${smartcart.urls.web}/`);
    expect(await page.text()).toContain("<html");

    const started = await processTree(smartcart.pid);
    reportMemory(started);
    const database = await postgresPid();
    expect(started.map(({ pid }) => pid)).toContain(database);

    smartcart.kill("SIGINT");
    const late = new Promise((resolve) => setTimeout(resolve, 5_000, "still running after 5 s"));
    expect(await Promise.race([smartcart.exited, late]), smartcart.output()).toBe(0);
    for (const { pid, name } of started) {
      await waitFor(async () => !(await isRunning(pid)), { what: `${name} ${pid} to end` });
    }
  });

  it("has the order after an orderly stop and after kill -9", async () => {
    await using killed = await startWhole(env);
    expect((await killed.get(`/orders/${orderId}`)).body.status).toBe("SHIPPED");
    const second = (await killed.place(seedBody)).body.orderId;
    const database = await postgresPid();
    killed.kill("SIGKILL");
    expect(await killed.exited).toBe("SIGKILL");

    await using revived = await startWhole(env);
    expect(await isRunning(database)).toBe(false);
    expect((await revived.get(`/orders/${orderId}`)).body.status).toBe("SHIPPED");
    expect(await revived.history(second, "Shipped")).toEqual(wholeLife);

    // Finds the database, the queue and the ports by the state folder alone.
    const { SMARTCART_STATE = "" } = env;
    const main = new URL("../src/main.ts", import.meta.url).pathname;
    const doctor = await runCommand(process.execPath, [main, "doctor"], {
      env: { SMARTCART_STATE },
    });
    expect(doctor.stdout).toMatch(/^ok {3}database .*durable: fsync on, full_page_writes on/m);
    expect(doctor.stdout).not.toContain("BAD");
    expect(doctor.code).toBe(0);
  });

  it("is refused in one line where the state folder is in use", async () => {
    await using first = await startWhole(env);
    await using second = spawnWhole({ ...env, ...(await choosePorts()) });
    expect(await second.exited).toBe(1);
    const lines = second.errorOutput().trim().split("\n");
    expect(lines, second.output()).toHaveLength(1);
    expect(lines[0]).toContain("SMARTCART_STATE");
    expect(lines[0]).toContain(String(first.pid));
    expect((await first.get(`/orders/${orderId}`)).status).toBe(200);
  });
});

/** Memory is shown, not judged here: it depends on the machine. */
function reportMemory(tree: Awaited<ReturnType<typeof processTree>>): void {
  const megabytes = (bytes: number) => Math.round(bytes / 1_048_576);
  const [node] = tree;
  const total = tree.reduce((sum, { proportionalBytes }) => sum + proportionalBytes, 0);
  process.stdout.write(
    `npm start: ${tree.length} processes, ${megabytes(total)} MB in all (PSS), of it Node ${megabytes(node?.residentBytes ?? 0)} MB (RSS)\n`,
  );
}
