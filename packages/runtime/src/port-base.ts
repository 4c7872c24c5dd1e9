import { validPort } from "./validators.ts";

/** The ports that PORT_BASE moves: their distance to it, by the prefix of `…_PORT` and `…_URL`. */
const offsets = {
  ORDER: 0,
  INVENTORY: 1,
  PAYMENT: 2,
  STATUS: 3,
  LOG: 4,
  NOTIFICATION: 5,
  SHIPPING: 6,
  OPS: 7,
  WEB: 8,
} as const;

/** Largest PORT_BASE: the last port still exists. */
export const maxPortBase = 65_535 - Math.max(...Object.values(offsets));

/**
 * The environment with the variables that follow from others: `…_PORT` from PORT_BASE, and `…_URL` from the port of the service on this
 * machine. A variable that is set wins. Nothing is derived from an invalid value, which `parseConfig` reports.
 */
export function withDerivedPorts(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const base = validPort(env.PORT_BASE);
  const derived: NodeJS.ProcessEnv = { ...env };
  for (const [prefix, offset] of Object.entries(offsets)) {
    const isMoved = base !== undefined && base > 0 && base <= maxPortBase;
    if (isMoved && !env[`${prefix}_PORT`]?.trim()) derived[`${prefix}_PORT`] = `${base + offset}`;
    const port = validPort(derived[`${prefix}_PORT`]);
    // Port 0 is any free port: where the service listens is not known beforehand.
    if (port && !env[`${prefix}_URL`]?.trim())
      derived[`${prefix}_URL`] = `http://127.0.0.1:${port}`;
  }
  return derived;
}
