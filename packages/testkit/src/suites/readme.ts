import { expect, it } from "vitest";
import { promisedOutput, readExamples, runExample } from "../readme-example.ts";

/** Runs every TypeScript example of a package's README: each prints what the comments behind its `console.log` say. */
export async function describeReadme(folder: URL): Promise<void> {
  const examples = await readExamples(folder);
  it("has examples in the README", () => expect(examples).not.toEqual([]));
  it.each(examples.map((code) => ({ code })))("$code", async ({ code }) => {
    const { code: exitCode, stdout, stderr } = await runExample(folder, code);
    expect(stderr).toBe("");
    expect(stdout).toBe(promisedOutput(code));
    expect(exitCode).toBe(0);
  });
}
