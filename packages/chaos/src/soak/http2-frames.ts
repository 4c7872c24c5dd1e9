/** Frames of HTTP/2 as bytes (RFC 9113), made once and sent repeatedly, so that an attack costs its sender little. */

const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  continuation: 9,
} as const;
const endStream = 0x1;
const endHeaders = 0x4;

/** The first bytes of a client: the preface and SETTINGS, with the window of each stream in bytes if it is given. */
export function opening(windowSize?: number): Buffer {
  const settings = Buffer.alloc(windowSize === undefined ? 0 : 6);
  if (windowSize !== undefined) {
    settings.writeUInt16BE(4);
    settings.writeUInt32BE(windowSize, 2);
  }
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  return Buffer.concat([preface, frame(frameType.settings, 0, 0, settings)]);
}

/** A request without a body. */
export function get(streamId: number, path: string): Buffer {
  const block = Buffer.concat([
    Buffer.from([0x82, 0x86]),
    literal(4, path),
    literal(1, "localhost"),
  ]);
  return frame(frameType.headers, endStream | endHeaders, streamId, block);
}

/** A POST with all of its body; without one, the stream stays open. */
export function post(
  streamId: number,
  { path, type, body }: { path: string; type: string; body?: Uint8Array },
): Buffer {
  const block = Buffer.concat([
    // Indices of the static table (RFC 7541, appendix A): POST, http, :path, :authority, content-type.
    Buffer.from([0x83, 0x86]),
    literal(4, path),
    literal(1, "localhost"),
    literal(31, type),
  ]);
  const headers = frame(frameType.headers, endHeaders, streamId, block);
  if (body === undefined) return headers;
  return Buffer.concat([headers, frame(frameType.data, endStream, streamId, body)]);
}

/** SETTINGS without changes, which must be acknowledged nevertheless. */
export function settings(): Buffer {
  return frame(frameType.settings, 0, 0, Buffer.alloc(0));
}

/** A PING that asks for an answer. */
export function ping(): Buffer {
  return frame(frameType.ping, 0, 0, Buffer.alloc(8));
}

/** A request whose headers go on in so many frames, and do not end. */
export function continuations(streamId: number, count: number): Buffer {
  const block = Buffer.concat([
    Buffer.from([0x82, 0x86]),
    literal(4, "/"),
    literal(1, "localhost"),
  ]);
  // A new name, without indexing (RFC 7541, 6.2.2).
  const header = Buffer.concat([
    Buffer.from([0, 1]),
    Buffer.from("x"),
    Buffer.from([100]),
    Buffer.alloc(100, 0x61),
  ]);
  const more = frame(frameType.continuation, 0, streamId, header);
  return Buffer.concat([
    frame(frameType.headers, endStream, streamId, block),
    ...Array.from({ length: count }, () => more),
  ]);
}

/** RST_STREAM with CANCEL. */
export function cancel(streamId: number): Buffer {
  return frame(frameType.resetStream, 0, streamId, Buffer.from([0, 0, 0, 8]));
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header whose name is in the static table, without indexing. Values have less than 127 bytes. */
function literal(nameIndex: number, value: string): Buffer {
  const index = nameIndex < 15 ? [nameIndex] : [15, nameIndex - 15];
  return Buffer.concat([Buffer.from([...index, value.length]), Buffer.from(value)]);
}
