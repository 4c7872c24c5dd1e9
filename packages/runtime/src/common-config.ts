import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { maxPortBase } from "./port-base.ts";
import { StartError } from "./retry.ts";
import {
  amqpUrl,
  bool,
  host,
  int,
  names,
  portBlock,
  postgresUrl,
  proxies,
  secret,
  str,
  url,
} from "./validators.ts";

/** The variables that every service understands, to be spread into its own specs. */
export const commonConfig = {
  LOG_LEVEL: str({
    choices: ["debug", "info", "warn", "error"],
    default: "info",
    desc: "lowest severity that is logged",
  }),
  // Loopback, so that a first start offers nothing to the network; containers set 0.0.0.0.
  HOST: host({ default: "127.0.0.1", desc: "address to listen on" }),
  PORT_BASE: portBlock(maxPortBase)({
    default: undefined,
    desc: "first of nine consecutive ports for all services and the page, see Ports; a variable of one port has precedence; unset: 8080 to 8087 and 5173",
  }),
  ALLOWED_HOSTS: names({
    default: undefined,
    desc: "host names that requests may use, comma-separated, in addition to localhost; unset: only this machine on loopback, any name elsewhere",
  }),
  TRUSTED_PROXIES: proxies({
    default: undefined,
    desc: "addresses and networks of the proxies whose X-Forwarded-For is trusted, comma-separated; unset: this machine",
  }),
  RATE_LIMIT_PER_ADDRESS: int({
    default: 10_000,
    desc: "maximum number of requests and WebSocket frames per second from one client address (see TRUSTED_PROXIES) to one process, then 429; 0: no limit",
  }),
  RATE_LIMIT_PER_USER: int({
    default: 5_000,
    desc: "maximum number of requests and WebSocket frames per second of one customer or operator to one process, then 429; 0: no limit",
  }),
  DATABASE_URL: postgresUrl({
    default: undefined,
    desc: "URL of PostgreSQL 15 or later; unset: starts the embedded PostgreSQL",
  }),
  AMQP_URL: amqpUrl({
    default: undefined,
    desc: "URL of RabbitMQ 3.10 or later; unset: uses the queue in PostgreSQL",
  }),
  SMARTCART_STATE: str({
    default: undefined,
    desc: "folder for state, including the embedded database",
  }),
  MESH_SECRET: secret({
    default: undefined,
    desc: "secret shared by all services, 16 characters or more; if set, calls between services are authenticated",
  }),
  TLS_CERT: str({
    default: undefined,
    desc: "PEM file with the certificate of public ports and its intermediates; if set, all ports speak TLS only. Files are read again when they change",
  }),
  TLS_KEY: str({ default: undefined, desc: "PEM file with the private key of TLS_CERT" }),
  MESH_TLS_CA: str({
    default: undefined,
    desc: "PEM file with the authorities that issue the certificates of services; if set, calls between services are authenticated by them (mutual TLS)",
  }),
  MESH_TLS_CERT: str({
    default: undefined,
    desc: "PEM file with the certificate of this service, for example /certs/{service}.crt: {service} is its name",
  }),
  MESH_TLS_KEY: str({
    default: undefined,
    desc: "PEM file with the private key of MESH_TLS_CERT, for example /certs/{service}.key",
  }),
  AUTH_ISSUER: str({
    default: undefined,
    desc: 'Issuer ("iss") of access tokens; if set, customers and operators must send a token',
  }),
  AUTH_AUDIENCE: str({
    default: "smartcart",
    desc: 'Audience ("aud") that access tokens must name',
  }),
  AUTH_JWKS_URL: url({
    default: undefined,
    desc: "URL of the issuer's keys (JWKS), for example https://issuer.example/jwks",
  }),
  AUTH_SECRET: secret({
    default: undefined,
    desc: "Shared secret of access tokens (HS256) instead of AUTH_JWKS_URL, for development, 16 characters or more",
  }),
  AUTH_CLOCK_SKEW_SECONDS: int({
    default: 60,
    desc: "Accepted difference between the clocks of the issuer and of this machine, in seconds",
  }),
  AUTH_OPTIONAL: bool({
    default: undefined,
    desc: "Accepts requests without a token and trusts the user that they name, on loopback only; unset: on in npm start without AUTH_ISSUER, off elsewhere",
  }),
  OPS_TOKEN: secret({
    default: undefined,
    desc: "Bearer token of operators, beside access tokens with the scope operator; unset: on loopback without AUTH_ISSUER every caller is an operator",
  }),
  SMARTCART_OPEN: str({
    choices: ["yes-i-know"],
    default: undefined,
    desc: "Set to yes-i-know, it allows a HOST that is not loopback without AUTH_ISSUER: anyone can then act as any customer",
  }),
  SMARTCART_DEMO: bool({
    default: undefined,
    desc: "enables demo mode: fault switches in the operations console; unset: on in npm start on loopback, off elsewhere",
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: url({
    default: undefined,
    desc: "URL of the OTLP/HTTP collector that receives the traces; unset: traces are not exported",
  }),
} as const;

/**
 * The folder that state is kept in: SMARTCART_STATE, or else /var/lib/smartcart for root, or else `smartcart` in
 * XDG_STATE_HOME (XDG Base Directory Specification), which is ~/.local/state when unset. Absolute; not created here. Throws a
 * StartError where the user has no home folder.
 */
export function stateDirectory(env: NodeJS.ProcessEnv): string {
  const chosen = env.SMARTCART_STATE?.trim();
  if (chosen) return resolve(chosen);
  // Not below root's home: PostgreSQL then runs as another user, which has no access to it.
  if (process.getuid?.() === 0) return "/var/lib/smartcart";
  const stateHome = env.XDG_STATE_HOME?.trim() || join(homeFolder(), ".local", "state");
  return join(stateHome, "smartcart");
}

function homeFolder(): string {
  let found = "";
  let cause: unknown;
  try {
    found = homedir();
  } catch (error) {
    // no HOME, and no entry for this user in /etc/passwd
    cause = error;
  }
  if (isAbsolute(found)) return found;
  throw new StartError(
    "SMARTCART_STATE is not set, and the current user has no home folder to keep state in: set SMARTCART_STATE to a folder",
    { variable: "SMARTCART_STATE", cause },
  );
}
