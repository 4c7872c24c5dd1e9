import { expect, test } from "vitest";
import { pictureTypeOf } from "./picture-type.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const avif = "\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf";

test.each([
  ["image/png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
  ["image/jpeg", "\xff\xd8\xff\xe0\0\x10JFIF"],
  ["image/webp", "RIFF\x24\0\0\0WEBPVP8 rest"],
  ["image/avif", "\0\0\0\x20ftypavif\0\0\0\0mif1miafMA1B"],
  ["image/avif", avif],
  [undefined, "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"],
  [undefined, "GIF89a\x01\0\x01\0"],
  [undefined, "RIFF\x24\0\0\0WAVEfmt "],
  [undefined, "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
  // A brand beyond the box is none.
  [undefined, "\0\0\0\x14ftypmp42\0\0\0\0isomavif"],
  [undefined, "<html>\x89PNG\r\n\x1a\n"],
  [undefined, ""],
])("%s: %j", (type, text) => {
  expect(pictureTypeOf(bytes(text))).toBe(type);
});

test("no beginning of a picture is one until its signature is whole", () => {
  for (let length = 0; length < 8; length += 1) {
    expect(pictureTypeOf(bytes("\x89PNG\r\n\x1a\n").subarray(0, length))).toBeUndefined();
  }
  expect(pictureTypeOf(bytes(avif).subarray(0, 15))).toBeUndefined();
});
