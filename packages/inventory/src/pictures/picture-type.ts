/** The type of a picture, found in its bytes: the file name and the declared content type are ignored. Pure. */

/** Media types of the pictures that browsers show and that hold no scripts: SVG does. */
export type PictureType = "image/png" | "image/jpeg" | "image/webp" | "image/avif";

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

/** The type, by the signature that its specification gives; undefined: none of these. */
export function pictureTypeOf(bytes: Uint8Array): PictureType | undefined {
  // https://www.w3.org/TR/png-3/#3PNGsignature
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  // ITU-T T.81, B.1.1.3: start of image, then a marker.
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg";
  // RFC 9649, 2.3 to 2.7: the first chunk is VP8, VP8L or VP8X.
  if (ascii(bytes, 0, 4) === "RIFF" && /^WEBPVP8[ LX]$/.test(ascii(bytes, 8, 16))) {
    return "image/webp";
  }
  return isAvif(bytes) ? "image/avif" : undefined;
}

/** ISO/IEC 14496-12, 4.3: a box `ftyp` whose major brand, or one of the compatible ones, is that of AVIF. */
function isAvif(bytes: Uint8Array): boolean {
  if (bytes.length < 16 || ascii(bytes, 4, 8) !== "ftyp") return false;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const end = Math.min(size, bytes.length, 256);
  for (let at = 8; at + 4 <= end; at += 4) {
    // The four bytes after the major brand are its version.
    if (at !== 12 && /^avi[fs]$/.test(ascii(bytes, at, at + 4))) return true;
  }
  return false;
}
