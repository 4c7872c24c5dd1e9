/** `smartcart web`: the page and its proxy as a process of its own, in front of services that run elsewhere. */
import { assertOpenOnPurpose } from "@smartcart/identity";
import { parseConfig, runMain } from "@smartcart/runtime";
import { webConfig } from "../config.ts";
import { buildPage } from "./build-page.ts";
import { startWebServer } from "./server.ts";
import { signInFrom } from "./sign-in.ts";
import { openWebTls } from "./tls.ts";

export function runWeb(): Promise<void> {
  return runMain("web", async ({ env, log }) => {
    const config = parseConfig(env, webConfig);
    assertOpenOnPurpose(config);
    await using starting = new AsyncDisposableStack();
    const server = await startWebServer({
      ...openWebTls(config, log, starting),
      port: config.WEB_PORT,
      host: config.HOST,
      page: await buildPage(),
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      rateLimitPerAddress: config.RATE_LIMIT_PER_ADDRESS,
      signIn: { signIn: signInFrom(config) },
      upstreams: {
        order: config.ORDER_URL,
        inventory: config.INVENTORY_URL,
        status: config.STATUS_URL,
        log: config.LOG_URL,
        ops: config.OPS_URL,
      },
      log,
    });
    starting.use(server);
    return starting.move();
  });
}
