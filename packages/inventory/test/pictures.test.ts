/** Pictures of products: uploaded once, served unchanged for ever, and deleted when no product has them. */
import { createHash } from "node:crypto";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { detailOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import { prunePictures } from "../src/store/pictures.ts";
import type { TestInventory } from "./support.ts";
import { startTestInventory } from "./support.ts";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory({ PICTURE_MAX_KB: "2" });
});
afterAll(() => inventory[Symbol.asyncDispose]());

const jpeg = (text: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(text)]));
const upload = async (content: Uint8Array) =>
  (await inventory.admin.uploadPicture({ content })).pictureUrl;
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, inventory.url), { headers });
const ageAll = () =>
  inventory.sql.query({ text: "update picture set touched_at = now() - interval '2 days'" });
const productWith = (productId: string, pictureUrl: string) =>
  inventory.admin.createProduct({
    ...{ productId, name: "Framed", category: "Art", pictureUrl },
    price: { currencyCode: "USD", minorUnits: 1n },
  });

it("has one address for the same bytes, which a browser asks for once", async () => {
  const content = jpeg("one");
  const path = await upload(content);
  expect(path).toBe(`/pictures/${createHash("sha256").update(content).digest("hex")}`);
  expect(await upload(content)).toBe(path);
  const answer = await get(path);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-type": "image/jpeg",
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": expect.stringContaining("default-src 'none'"),
  });
  const etag = answer.headers.get("etag") ?? "";
  const again = await get(path, { "if-none-match": `W/"x", ${etag}` });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  const { rows } = await inventory.sql.query({ text: "select sha256 from picture" });
  expect(rows).toHaveLength(1);
});

it.each(["0".repeat(64), "0".repeat(63), "..%2fx", `${"0".repeat(63)}g`])(
  "answers 404 for %s",
  async (name) => {
    expect((await get(`/pictures/${name}`)).status).toBe(404);
  },
);

it.each([
  [
    "a type that holds scripts",
    Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>"),
    /PNG, JPEG/,
  ],
  ["what is too large", jpeg("x".repeat(2_000)), /PICTURE_MAX_KB/],
  ["nothing", new Uint8Array(), /bytes/],
])("refuses %s", async (_name, content, message) => {
  const error = await errorOf(upload(content));
  const [violation] = detailOf(error, ViolationsSchema)?.violations ?? [];
  expect(violation?.field?.elements[0]?.fieldName).toBe("content");
  expect(violation?.message).toMatch(message);
});

it("is required of a product that refers to it, and kept as long as one does", async () => {
  const [kept, orphan] = [await upload(jpeg("kept")), await upload(jpeg("orphan"))];
  await productWith("framed", kept);
  const error = await errorOf(productWith("unframed", `/pictures/${"0".repeat(64)}`));
  expect(String(error)).toMatch(/upload it again/);
  // Young ones wait for their product.
  expect(await prunePictures(inventory.sql, 86_400_000, 10)).toEqual({ checked: 0, deleted: 0 });
  await ageAll();
  // One that is chosen while the round is under way is not deleted.
  const late = await upload(jpeg("late"));
  const round = await prunePictures(inventory.sql, 86_400_000, 10);
  expect(round.deleted).toBeGreaterThan(0);
  const statuses = await Promise.all(
    [kept, orphan, late].map(async (path) => (await get(path)).status),
  );
  expect(statuses).toEqual([200, 404, 200]);
  // Those that are wanted are looked at once a day.
  expect(await prunePictures(inventory.sql, 86_400_000, 10)).toEqual({ checked: 0, deleted: 0 });
});

it("looks at a bounded number in a round", async () => {
  for (const name of ["a", "b", "c"]) await upload(jpeg(name));
  await ageAll();
  expect(await prunePictures(inventory.sql, 86_400_000, 2)).toMatchObject({ checked: 2 });
});
