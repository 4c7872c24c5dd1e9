/** Access to subscriptions: by a header, or by a subprotocol as a browser needs it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createDevelopmentIssuer } from "@smartcart/identity";
import type { RunningService } from "@smartcart/service";
import type { TestWorld } from "./support.ts";
import { createWorld, patience } from "./support.ts";

const settings = {
  issuer: "https://issuer.example",
  audience: "smartcart",
  secret: "a-secret-of-thirty-two-characters",
};
const issue = createDevelopmentIssuer(settings);
let world: TestWorld;
let hub: RunningService;

beforeAll(async () => {
  world = await createWorld("postgres", {
    AUTH_ISSUER: settings.issuer,
    AUTH_SECRET: settings.secret,
    MESH_SECRET: "the-secret-of-the-services",
    OPS_TOKEN: "the-token-of-the-operators",
    AUTH_CLOCK_SKEW_SECONDS: "0",
  });
  hub = await world.startHub();
  await world.advance("ORD-ada", "ada", 2);
  await world.advance("ORD-bo", "bo", 2);
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** A client with all that it was sent. */
function open(o: { token?: string; header?: string; protocols?: string[] }) {
  const url = `${hub.url.replace("http", "ws")}/ws`;
  const protocols =
    o.protocols ?? (o.token === undefined ? [] : ["smartcart", `smartcart.bearer.${o.token}`]);
  const socket = new WebSocket(
    url,
    protocols,
    o.header === undefined ? {} : { headers: { authorization: o.header } },
  );
  const frames: Record<string, unknown>[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  const outcome = new Promise<string>((resolve) => {
    socket.once("open", () => resolve("open"));
    socket.once("unexpected-response", (request, response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(`${response.statusCode} ${JSON.parse(body).code}`));
      request.once("error", () => {});
    });
    socket.on("error", () => {});
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  return { socket, frames, outcome, closed };
}

const subscribe = (socket: WebSocket, target: object) =>
  socket.send(JSON.stringify({ subscribe: target }));

test.each([
  ["without a token", {}, "401 SIGN_IN_NEEDED"],
  ["with garbage", { token: "a.b.c" }, "401 TOKEN_INVALID"],
  ["with Basic", { header: "Basic YTpi" }, "401 TOKEN_INVALID"],
  ["with the operators' token", { header: "Bearer the-token-of-the-operators" }, "open"],
])("a client %s: %s", async (_, o, outcome) => {
  const client = open(o);
  expect(await client.outcome).toBe(outcome);
  client.socket.terminate();
});

test("a customer follows their own orders by either way, and the token is not sent back", async () => {
  const token = await issue({ subject: "ada" });
  for (const client of [open({ token }), open({ header: `Bearer ${token}` })]) {
    expect(await client.outcome).toBe("open");
    expect(client.socket.protocol).not.toContain("bearer");
    subscribe(client.socket, { userId: "ada" });
    await expect
      .poll(() => client.frames.map(({ orderId, sequence }) => [orderId, sequence]), patience)
      .toEqual([
        ["ORD-ada", 1],
        ["ORD-ada", 2],
      ]);
    client.socket.terminate();
  }
});

test("another's orders: the user is refused, and nothing of an order is sent, stored or live", async () => {
  const client = open({ token: await issue({ subject: "ada" }) });
  await client.outcome;
  subscribe(client.socket, { userId: "bo" });
  await expect
    .poll(() => client.frames, patience)
    .toMatchObject([{ error: { code: "ACCESS_DENIED", field: "subscribe.userId" } }]);
  subscribe(client.socket, { orderId: "ORD-bo" });
  subscribe(client.socket, { orderId: "ORD-ada" });
  await world.advance("ORD-bo", "bo");
  await world.advance("ORD-ada", "ada");
  await expect
    .poll(() => client.frames.some(({ sequence }) => sequence === 3), patience)
    .toBe(true);
  const about = (orderId: string) =>
    client.frames.filter((frame) => frame.orderId === orderId).length;
  expect([about("ORD-bo"), about("ORD-ada")]).toEqual([0, 3]);
  client.socket.terminate();
});

test("a connection ends with its token", async () => {
  const brief = createDevelopmentIssuer({ ...settings, lifetimeSeconds: 2 });
  const client = open({ token: await brief({ subject: "ada" }) });
  expect(await client.outcome).toBe("open");
  expect(await client.closed).toBe(4401);
});
