/** Access tokens of customers, for a SmartCart that rejects orders without one. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDevelopmentIssuer } from "@smartcart/identity";

const issuer = "urn:bench";
const secret = "a secret of the bench";
const customers = 1_000;

/** Settings with which every call needs a token. */
export const tokenSettings: Readonly<Record<string, string>> = {
  AUTH_ISSUER: issuer,
  AUTH_SECRET: secret,
  MESH_SECRET: "another secret of the bench",
};

/** Writes a line per customer with their token; returns the path of the file. */
export async function writeTokens(directory: string): Promise<string> {
  const issue = createDevelopmentIssuer({ issuer, secret, audience: "smartcart" });
  const users = Array.from({ length: customers }, (_, index) => `user-${index}`);
  const lines = users.map(async (subject) => `${subject} ${await issue({ subject })}\n`);
  const file = join(directory, "tokens.txt");
  await writeFile(file, (await Promise.all(lines)).join(""), { mode: 0o600 });
  return file;
}
