/** Frames of HTTP/2 as bytes (RFC 9113), for what no client library sends. */

/** What a client sends first: the preface, and empty settings. */
export const opening = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(4, 0, 0, Buffer.alloc(0)),
]);

/** A frame with its head of nine bytes. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** The HEADERS of a POST of JSON, which leave the stream open. */
export function postHeaders(streamId: number, path: string): Buffer {
  // Indices of the static table (RFC 7541, appendix A): POST, http, :path, :authority, content-type.
  const block = Buffer.concat([
    Buffer.from([0x83, 0x86]),
    literal(4, path),
    literal(1, "localhost"),
    literal(31, "application/json"),
  ]);
  return frame(1, 0x4, streamId, block);
}

/** RST_STREAM with CANCEL. */
export function cancel(streamId: number): Buffer {
  return frame(3, 0, streamId, Buffer.from([0, 0, 0, 8]));
}

/** A header whose name is in the static table, not to be remembered. */
function literal(nameIndex: number, value: string): Buffer {
  const index = nameIndex < 15 ? [nameIndex] : [15, nameIndex - 15];
  return Buffer.concat([Buffer.from([...index, value.length]), Buffer.from(value)]);
}
