import { expect, test } from "vitest";
import { startOrderServer, startTestServer } from "./rig.ts";

test.each(["/docs", "/docs/"])(
  "Swagger UI at %s comes from this server alone, and needs nothing inline",
  async (path) => {
    await using server = await startOrderServer();
    const page = await fetch(server.url + path);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    const html = await page.text();
    expect(html).not.toMatch(/https?:|<style|<script>| style=| on\w+=/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(links).toHaveLength(4);
    for (const link of links) {
      // Relative: a proxy may have the server below a path of its own.
      expect(link).not.toMatch(/^\//);
      const res = await fetch(new URL(link, page.url));
      expect(res.status).toBe(200);
      expect((await res.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
    const initializer = await (await fetch(`${server.url}/docs/initializer.js`)).text();
    expect(initializer).toContain('new URL("..", document.currentScript.src)');
    expect(await (await fetch(`${server.url}/openapi.json`)).json()).toMatchObject({
      openapi: "3.1.0",
    });
  },
);

test("a server without REST has none of it", async () => {
  await using server = await startTestServer();
  for (const path of ["/docs", "/openapi.json"]) {
    expect((await fetch(server.url + path)).status).toBe(404);
  }
});
