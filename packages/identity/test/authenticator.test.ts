import { expect, test } from "vitest";
import { createAuthenticator, createDevelopmentIssuer, createTokenVerifier } from "../src/index.ts";

const options = {
  issuer: "https://issuer.example",
  audience: "smartcart",
  secret: "a-secret-of-thirty-two-characters",
};
const issue = createDevelopmentIssuer(options);
const opsToken = "ops-token-0123456789";
const authenticate = createAuthenticator({ verifyToken: createTokenVerifier(options), opsToken });

test("identifies the sender of a request", async () => {
  expect(await authenticate(null)).toEqual({ kind: "anonymous" });
  expect(await authenticate(`Bearer ${await issue({ subject: "ada" })}`)).toMatchObject({
    kind: "customer",
    subject: "ada",
  });
  expect(await authenticate(`bearer ${opsToken}`)).toMatchObject({ kind: "operator" });
});

test.each([
  "",
  "Bearer",
  "Bearer ",
  "Basic YTpi",
  "Bearer a b",
  "Bearer ops-token-0123456780",
  "Bearer a.b.c",
])("%j is rejected, not treated as anonymous", async (header) => {
  await expect(async () => authenticate(header)).rejects.toMatchObject({ name: "TokenError" });
});

test("without a verifier only the ops token is good", async () => {
  const closed = createAuthenticator({ verifyToken: undefined, opsToken });
  expect(await closed(`Bearer ${opsToken}`)).toMatchObject({ kind: "operator" });
  await expect(async () => closed("Bearer a.b.c")).rejects.toMatchObject({ fault: "invalid" });
});
