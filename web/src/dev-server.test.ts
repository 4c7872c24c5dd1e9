/** The dev server itself, in front of services that are away: what it decides by itself. */

import type { ViteDevServer } from "vite";
import { createServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";

const navigation = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
let server: ViteDevServer;
let url: string;

beforeAll(async () => {
  server = await createServer({
    root: new URL("..", import.meta.url).pathname,
    logLevel: "silent",
    server: { port: 0, strictPort: false, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  await server.listen();
  url = server.resolvedUrls?.local[0] ?? "";
});
afterAll(() => server.close());

test.each([
  ["/", 200],
  ["/checkout", 200],
  ["/orders/ORD-1", 200],
  ["/nowhere", 404],
  ["/orders/a/b", 404],
])("a browser at %s gets the page with %i", async (path, status) => {
  const answer = await fetch(new URL(path, url), { headers: navigation });
  expect(answer.status).toBe(status);
  expect(await answer.text()).toContain('<div id="app">');
});

test("it says how to sign in, as the server of the built page does", async () => {
  const answer = await fetch(new URL("/auth/config", url));
  expect(await answer.json()).toEqual({ method: "none", isOpen: false });
});
