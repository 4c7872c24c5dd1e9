/**
 * `npm run dev`: the shop for development. All services in one process that restarts when one of its sources changes, and the
 * page by Vite, which reloads what changes in the browser. A restart is a graceful shutdown: orders in progress go on afterwards, and
 * the page connects again by itself. `npm run dev -- --rabbitmq` uses RabbitMQ.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { withDerivedPorts } from "@smartcart/runtime";

const known = ["--rabbitmq"];
const unknown = process.argv.slice(2).filter((argument) => !known.includes(argument));
if (unknown.length > 0) {
  // --fresh would empty the database at every restart.
  const advice = unknown.includes("--fresh") ? ` Run "npm start -- --fresh" once before.` : "";
  process.stderr.write(
    `npm run dev takes ${known.join(", ")} only, not ${unknown.join(" ")}.${advice}\n`,
  );
  process.exit(2);
}

const root = join(import.meta.dirname, "..");
const env = withDerivedPorts(process.env);
const pagePort = Number(env.WEB_PORT ?? 5173);
// The services' process serves the built page, which also handles the sign-in of the page in development, beside Vite.
const builtPagePort = pagePort + 1;

const services = run(
  ["--watch", "--watch-preserve-output", "packages/smartcart/src/main.ts", "up"].concat(
    process.argv.slice(2),
  ),
  { cwd: root, env: { ...env, WEB_PORT: `${builtPagePort}` } },
);
const vite = run([join(root, "node_modules/vite/bin/vite.js")], {
  cwd: join(root, "web"),
  env: {
    ...env,
    WEB_PORT: `${pagePort}`,
    PAGE_URL: `http://127.0.0.1:${builtPagePort}`,
  },
});

// Ctrl-C reaches both by the terminal; anything else that ends one of them ends the other.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    services.kill(signal);
    vite.kill(signal);
  });
}
services.once("exit", (code) => {
  vite.kill();
  process.exitCode ||= code ?? 0;
});
vite.once("exit", (code) => {
  services.kill();
  process.exitCode ||= code ?? 0;
});

function run(args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
  return spawn(process.execPath, args, { ...options, stdio: "inherit" });
}
