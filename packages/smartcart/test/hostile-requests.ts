/** Requests that strangers might send, from the almost right to the plainly wrong, as bytes. */
import fc from "fast-check";

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const bytes = (maxLength: number) => fc.string({ unit: byte, maxLength });
const printable = (maxLength: number) => fc.string({ unit: "grapheme-ascii", maxLength });

const paths = [
  "/",
  "//",
  "///",
  "/..",
  "/../../etc/passwd",
  "/%",
  "/%zz",
  "/%00",
  "/\\",
  "/favicon.svg",
  "/index.html",
  "/assets/",
  "/assets/../index.html",
  "/healthz",
  "/readyz",
  "/metrics",
  "/docs",
  "/docs/swagger-ui-bundle.js",
  "/openapi.json",
  "/ws",
  "/ws/",
  "/orders",
  "/orders/",
  "/orders/ORD-1",
  "/orders/%2e%2e",
  "/placeOrder",
  "/placeorder",
  "/checkout",
  "/ops",
  "/smartcart.order.v1.OrderService/GetOrder",
  "/smartcart.inventory.v1.InventoryService/ListProducts",
  "/smartcart.log.v1.LogService/SearchLogs",
  "/smartcart.ops.v1.OpsService/ListDeadLetters",
  "/__proto__",
  "/constructor",
  "/hasOwnProperty",
  "*",
  "",
  "http://",
  "http:///",
  "http://localhost",
  "http://localhost//",
  "http://[::1",
  "http://a:99999/",
  "https://localhost/ws",
  "ws://localhost/ws",
  "localhost:443",
  "javascript:alert(1)",
];

const target = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...paths) },
  fc.tuple(fc.constantFrom(...paths), bytes(12)).map(([path, tail]) => path + tail),
  fc
    .tuple(fc.constantFrom(...paths), fc.webQueryParameters())
    .map(([path, query]) => `${path}?${query}`),
  bytes(40).map((text) => `/${text}`),
  bytes(40),
  fc.integer({ min: 1, max: 70_000 }).map((length) => `/${"a".repeat(length)}`),
);

const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("GET", "HEAD", "POST") },
  fc.constantFrom(
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PRI",
    "PROPFIND",
    "get",
    "G T",
  ),
  bytes(6),
);

const host = fc.oneof(
  { weight: 6, arbitrary: fc.constant("localhost") },
  fc.constantFrom(
    "127.0.0.1:5173",
    "[::1]",
    "evil.example",
    "",
    "[",
    "a b",
    "localhost:x",
    "@",
    "%",
  ),
  bytes(12),
);

const header = fc.oneof(
  fc.constantFrom(
    "Range: bytes=5-2",
    "Range: bytes=0-0,-1,5-",
    "Range: bytes=-0",
    "If-None-Match: *",
    'If-Match: "x"',
    "If-Range: x",
    "If-Modified-Since: yesterday",
    "Accept: text/html",
    "Accept: ;;;q=",
    "Accept-Encoding: gzip;q=nonsense",
    "Accept-Encoding: *;q=0",
    "Connection: close, host, content-length",
    "Connection: upgrade",
    "Connection: keep-alive, ,",
    "Upgrade: h2c",
    "Upgrade: websocket",
    "Upgrade: WebSocket, h2c",
    "HTTP2-Settings: !!!",
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Key: short",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version: -1",
    'Sec-WebSocket-Extensions: permessage-deflate; x="',
    "Sec-WebSocket-Protocol: ,,,",
    "Origin: null",
    "Origin: http://evil.example",
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Content-Length: 300000",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: gzip",
    "Content-Encoding: gzip",
    "Content-Type: application/json",
    "Content-Type: application/proto",
    "Content-Type: application/connect+json",
    "Content-Type: application/grpc-web",
    "Connect-Protocol-Version: 7",
    "Connect-Timeout-Ms: -1",
    "grpc-timeout: 99999999999H",
    "Expect: 100-continue",
    "Expect: nonsense",
    "X-Forwarded-For: ,,unknown,",
    "X-Forwarded-Host: evil.example",
    "Idempotency-Key: ",
    "__proto__: x",
    "constructor: x",
    "Traceparent: 00-0-0-0",
  ),
  fc
    .tuple(fc.constantFrom("X-A", "Cookie", "Authorization", "Accept"), printable(60))
    .map(([name, value]) => `${name}: ${value}`),
  fc.tuple(bytes(8), bytes(20)).map(([name, value]) => `${name}: ${value}`),
  fc.integer({ min: 1, max: 90_000 }).map((length) => `X-Long: ${"a".repeat(length)}`),
);

const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fc.json().map((text) => text),
  fc.constantFrom("5\r\nhello\r\n0\r\n\r\n", "5\r\nhel", "zz\r\n", "\x81\x85abcd"),
  bytes(60),
);

const version = fc.oneof(
  { weight: 12, arbitrary: fc.constant("HTTP/1.1") },
  fc.constantFrom("HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/9", ""),
);

const request = fc
  .record({ method, target, version, host, headers: fc.array(header, { maxLength: 5 }), body })
  .map(({ method, target, version, host, headers, body }) =>
    [`${method} ${target} ${version}`, `Host: ${host}`, ...headers, "", body].join("\r\n"),
  );

/** What one connection brings: a request or several, whole, cut short, or bytes of any kind. */
export const hostileConnection: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: request },
  fc.array(request, { minLength: 2, maxLength: 4 }).map((all) => all.join("")),
  fc.tuple(request, fc.nat(200)).map(([text, length]) => text.slice(0, length)),
  bytes(200),
);
