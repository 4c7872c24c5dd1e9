/**
 * Preloaded into a process: kills it when the answer to its call number KILL_AT over HTTP/2 begins, which is after the call has taken
 * effect and before the process knows.
 */
import http2 from "node:http2";
import { syncBuiltinESMExports } from "node:module";

const killAt = Number(process.env.KILL_AT);
const { connect } = http2;
let calls = 0;
http2.connect = ((...args: Parameters<typeof connect>) => {
  const session = connect(...args);
  const request = session.request.bind(session);
  session.request = (...of) => {
    const call = ++calls;
    const stream = request(...of);
    if (call === killAt)
      stream.prependOnceListener("response", () => process.kill(process.pid, "SIGKILL"));
    return stream;
  };
  return session;
}) as typeof connect;
syncBuiltinESMExports();
