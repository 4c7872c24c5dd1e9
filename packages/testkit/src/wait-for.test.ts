import { expect, it } from "vitest";
import { waitFor } from "./wait-for.ts";

it("answers the first value that is neither false nor undefined", async () => {
  const answers = [undefined, false as const, "there"];
  expect(await waitFor(() => answers.shift())).toBe("there");
});

it("takes an error for not yet, and names it when it gives up", async () => {
  const cause = new Error("refused");
  const waiting = waitFor(
    () => {
      throw cause;
    },
    { timeoutMs: 50, what: "the port" },
  );
  await expect(waiting).rejects.toMatchObject({
    message: expect.stringContaining("the port"),
    cause,
  });
});
