/** Whether only this machine reaches what listens on that address: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").replace(/^::ffff:/i, "");
  return name === "localhost" || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/** The base URL by which this machine reaches what listens there: "http://[::1]:8080". `hasTls`: with https. Default: without. */
export function serverUrl(host: string, port: number, hasTls = false): string {
  const open: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "localhost" };
  const name = (open[host] ?? host).replace(/^\[|\]$/g, "");
  return `${hasTls ? "https" : "http"}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
