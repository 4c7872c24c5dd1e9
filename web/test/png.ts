import { crc32, deflateSync } from "node:zlib";

/** A picture of one colour in PNG (https://www.w3.org/TR/png-3/): for tests that need a real one. */
export function png(red: number, green: number, blue: number): Buffer {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(1, 0);
  size.writeUInt32BE(1, 4);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    // 8 bits for each of red, green and blue; no interlacing.
    chunk("IHDR", Buffer.concat([size, Buffer.from([8, 2, 0, 0, 0])])),
    chunk("IDAT", deflateSync(Buffer.from([0, red, green, blue]))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
