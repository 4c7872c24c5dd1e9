import type { Plugin, ProxyOptions } from "vite";
import { isPage, upstreamFor } from "./proxy-rules.ts";

const signInPaths: readonly string[] = ["/auth/config", "/auth/token"];

/** Sign-in at the server of a built page; undefined where there is none. */
export function signInProxy(pageUrl: string | undefined): Record<string, ProxyOptions> {
  return pageUrl ? { [`^(?:${signInPaths.join("|")})(?=[?]|$)`]: { target: pageUrl } } : {};
}

/**
 * What the server of the built page answers and Vite does not: 404 with the page where there is none, and how to sign in.
 * Without a `pageUrl` there is no sign-in, which suits services that accept calls without a token.
 */
export function pagesInDevelopment(pageUrl: string | undefined): Plugin {
  return {
    name: "smartcart:pages",
    apply: "serve",
    configureServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
        if (!pageUrl && path === "/auth/config") {
          response.setHeader("content-type", "application/json");
          response.end('{"method":"none","isOpen":false}');
          return;
        }
        const accept = request.headers.accept ?? "";
        const isNavigation = accept.includes("text/html") && !path.includes(".");
        if (isNavigation && !isPage(path) && upstreamFor({ path, accept }) === undefined) {
          // Vite sets 200 on the page that it sends for every path; this one is none.
          const writeHead = response.writeHead.bind(response) as (
            ...args: unknown[]
          ) => typeof response;
          response.writeHead = (_status: number, ...rest: unknown[]) => writeHead(404, ...rest);
        }
        next();
      });
    },
  };
}
