/** Detects a server of another protocol: a client that waits for an answer in its own protocol would wait for ever. */
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

const patienceMs = 1_000;

/** "HTTP" or "TLS" where a server speaks that on the port; undefined where it does not say. Never rejects. */
export async function foreignProtocolAt(at: {
  readonly host: string;
  readonly port: number;
}): Promise<"HTTP" | "TLS" | undefined> {
  if (await answersHttp(at)) return "HTTP";
  return (await answersTls(at)) ? "TLS" : undefined;
}

/** A server of another protocol answers something else, or closes the connection. */
function answersHttp(at: { host: string; port: number }): Promise<boolean> {
  const socket = connectTcp(at);
  socket.write("GET / HTTP/1.0\r\n\r\n");
  return settled(socket, "data", (bytes) => String(bytes).startsWith("HTTP/"));
}

function answersTls(at: { host: string; port: number }): Promise<boolean> {
  // Nothing is sent over it, so that the certificate need not be verified.
  const socket = connectTls({ ...at, rejectUnauthorized: false });
  return settled(socket, "secureConnect", () => true);
}

function settled(
  socket: ReturnType<typeof connectTcp>,
  event: string,
  verdict: (value: unknown) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("error", () => end(false)).once("close", () => end(false));
    socket.setTimeout(patienceMs, () => end(false));
    socket.once(event, (value: unknown) => end(verdict(value)));
  });
}
