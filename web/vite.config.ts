import { gzipSync } from "node:zlib";
import type { Plugin, ProxyOptions } from "vite";
import { defineConfig } from "vite";
import { pagesInDevelopment, signInProxy } from "./dev-server.ts";
import type { Upstream } from "./proxy-rules.ts";
import {
  contentSecurityPolicy,
  defaultUpstreamUrls,
  proxyRules,
  upstreamFor,
} from "./proxy-rules.ts";
import { withoutRules } from "./without-rules.ts";

const upstreamUrls: Readonly<Record<Upstream, string>> = {
  order: process.env.ORDER_URL || defaultUpstreamUrls.order,
  inventory: process.env.INVENTORY_URL || defaultUpstreamUrls.inventory,
  status: process.env.STATUS_URL || defaultUpstreamUrls.status,
  log: process.env.LOG_URL || defaultUpstreamUrls.log,
  ops: process.env.OPS_URL || defaultUpstreamUrls.ops,
};

export default defineConfig({
  plugins: [
    withoutRules(),
    policyInBuild(),
    gzipInBuild(),
    pagesInDevelopment(process.env.PAGE_URL),
  ],
  server: {
    host: "127.0.0.1",
    port: Number(process.env.WEB_PORT || 5173),
    strictPort: true,
    proxy: createProxy(),
  },
  preview: {
    host: "127.0.0.1",
    port: Number(process.env.WEB_PORT || 5173),
    strictPort: true,
    proxy: createProxy(),
    headers: { "Content-Security-Policy": contentSecurityPolicy() },
  },
  build: {
    target: "es2023",
    // A data: URL would break `default-src 'self'`, and so would the inline polyfill of module preloading.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

/** The table of proxy rules in Vite's shape. */
function createProxy(): Record<string, ProxyOptions> {
  const rules = Object.fromEntries(
    proxyRules.map((rule) => [
      `^${rule.path.replaceAll(".", "\\.")}(?=[/?]|$)`,
      {
        target: upstreamUrls[rule.upstream],
        ws: rule.websocket ?? false,
        // A string keeps the request here, under that URL; nothing hands it on.
        bypass: ({ url = "/", headers }) =>
          upstreamFor({ path: url, accept: headers.accept }) === undefined ? url : undefined,
      } satisfies ProxyOptions,
    ]),
  );
  return { ...signInProxy(process.env.PAGE_URL), ...rules };
}

/**
 * Writes the policy into the built page, so that it holds whichever server sends it. Not in development, where Vite itself
 * puts styles into the page. `frame-ancestors` only counts in a header, and the header alone can say which OpenID
 * provider scripts may call: the build does not know it.
 */
function policyInBuild(): Plugin {
  const content = contentSecurityPolicy("*").replace(/; frame-ancestors [^;]*/, "");
  return {
    name: "smartcart:policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content },
        injectTo: "head-prepend",
      },
    ],
  };
}

/** Puts a .gz beside each text of the build, so that a server can send it without compressing anything itself. */
function gzipInBuild(): Plugin {
  return {
    name: "smartcart:gzip",
    apply: "build",
    enforce: "post",
    generateBundle: {
      // After Vite has put its list of files to preload into the code; else the copies would lack it.
      order: "post",
      handler(_options, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          if (!/\.(?:js|css|html|svg)$/.test(fileName)) continue;
          const source = gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 });
          this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source });
        }
      },
    },
  };
}
