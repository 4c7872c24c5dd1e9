import { describe, expect, it } from "vitest";
import { freePorts } from "@smartcart/engines";
import { spawnService } from "../spawn-service.ts";
import { createTestDatabase } from "../test-database.ts";

interface ServiceProcessCase {
  /** Relative to the repository: "packages/inventory/src/main.ts". */
  readonly main: string;
  readonly portVariable: string;
  /** Another variable, which is a number. */
  readonly numberVariable: string;
  /** Calls the service at that base URL and checks the answer. */
  call(url: string): Promise<void>;
}

/** What every service is as a process of its own. */
export function describeServiceProcess(o: ServiceProcessCase): void {
  describe(o.main, () => {
    it("serves as a process of its own until it is told to stop", async () => {
      await using database = await createTestDatabase();
      const [port] = await freePorts(1);
      const env = { DATABASE_URL: database.url, [o.portVariable]: String(port) };
      await using part = spawnService({ args: [o.main], env });
      const url = `http://127.0.0.1:${port}`;
      await part.answers(`${url}/readyz`);
      await o.call(url);
      part.kill("SIGTERM");
      expect(await part.exited).toBe(0);
    });

    it("names every variable that it cannot use", async () => {
      const env = { [o.portVariable]: "http", [o.numberVariable]: "soon" };
      await using part = spawnService({ args: [o.main], env });
      expect(await part.exited).toBe(1);
      expect(part.errorOutput()).toMatch(new RegExp(`^${o.portVariable}: `, "m"));
      expect(part.errorOutput()).toMatch(new RegExp(`^${o.numberVariable}: `, "m"));
    });
  });
}
