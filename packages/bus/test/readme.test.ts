import { expect, it } from "vitest";
import { createTestDatabase, readExamples, runExample } from "@smartcart/testkit";

it("has an example in the README that does what it says", async () => {
  await using server = await createTestDatabase();
  const folder = new URL("../", import.meta.url);
  const [code = ""] = await readExamples(folder);
  const { stdout } = await runExample(folder, code, { DATABASE_URL: server.url });
  expect(stdout).toBe("confirmed message-1\nshipped ORD-1 at attempt 2\n");
});
