/** The whole shop on other addresses than 127.0.0.1. */
import { describe, expect, it } from "vitest";
import { runCommand } from "@smartcart/testkit";
import { banner } from "../src/up/banner.ts";
import { buildPage } from "../src/web/build-page.ts";
import { createShopper, seedBody, startStack, wholeLife } from "./stack.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;

describe("HOST=::1", () => {
  it("sells by the page, tells its steps, prints URLs that work, and is well", async () => {
    await using shop = await startStack({ env: { HOST: "::1" }, page: await buildPage() });
    const { web = "" } = shop.urls;
    expect(web).toMatch(/^http:\/\/\[::1\]:\d+$/);
    const page = createShopper({ ...shop.urls, order: web, inventory: web, "status-hub": web });
    const { status, body } = await page.place(seedBody);
    expect(status).toBe(201);
    await using client = await page.follow({ orderId: body.orderId });
    const frames = await client.until("Shipped");
    expect(frames.map((frame) => frame.status)).toEqual(wholeLife);

    const printed = banner({ smartcart: shop, state: "", queue: "", readyMs: 0 });
    expect(printed).toContain(`${web}/ops`);
    for (const [url] of printed.matchAll(/(?:http|ws):\/\/\S+/g)) {
      expect(URL.canParse(url), url).toBe(true);
    }
    const env = { DATABASE_URL: shop.databaseUrl, HOST: "::1", ...portsOf(shop.urls) };
    const doctor = await runCommand(process.execPath, [main, "doctor", "--wait", "1"], { env });
    expect(doctor.stdout).toMatch(/^ok {3}order +ready at http:\/\/\[::1\]:\d+$/m);
    // The database of tests is not durable, and nothing else is wrong.
    expect(doctor.stdout.match(/^BAD +(\S+)/gm)).toEqual(["BAD  database"]);
  });
});

function portsOf(urls: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(urls).map(([service, url]) => [
      `${service.replace("-hub", "").toUpperCase()}_PORT`,
      new URL(url).port,
    ]),
  );
}

describe("HOST=0.0.0.0", () => {
  it("is refused without authentication", async () => {
    const env = { HOST: "0.0.0.0" };
    const { code, stderr } = await runCommand(process.execPath, [main, "up"], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^smartcart: HOST=0\.0\.0\.0 would open the shop .*SMARTCART_OPEN=yes-i-know\n$/,
    );
  });
});

describe("HOST=0.0.0.0 insisted on, without OPS_TOKEN", () => {
  it("sells, and says that the console is off", async () => {
    await using shop = await startStack({
      env: { HOST: "0.0.0.0", SMARTCART_OPEN: "yes-i-know" },
      page: await buildPage(),
    });
    const { web = "" } = shop.urls;
    expect((await fetch(`${web}/ops`, { headers: { accept: "text/html" } })).status).toBe(200);
    for (const method of ["WatchMesh", "WatchInvariants", "ListDeadLetters"]) {
      const call = await fetch(`${web}/smartcart.ops.v1.OpsService/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      expect(call.status).toBe(404);
      expect(await call.json()).toMatchObject({
        code: "SERVICE_OFF",
        detail: expect.stringContaining("OPS_TOKEN"),
      });
    }
    const page = createShopper({ ...shop.urls, order: web });
    expect((await page.place(seedBody)).status).toBe(201);
  });
});
