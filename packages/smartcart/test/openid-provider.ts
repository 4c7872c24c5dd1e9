/** A real OpenID provider on loopback, with one public client: the page. Any login and password are right. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

export interface OpenIdProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Lets the page at that URL sign its visitors in. */
  register(pageUrl: string): void;
}

export const clientId = "smartcart-page";
export const audience = "https://smartcart.example/api";

export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  let answer: ReturnType<Provider["callback"]> | undefined;
  const server = createServer((request, response) =>
    answer === undefined ? response.writeHead(503).end() : answer(request, response),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    register(pageUrl) {
      const provider = createProvider(issuer, new URL(pageUrl).origin);
      // As Google's: the token endpoint has another origin than the issuer.
      provider.use(async (context, next) => {
        await next();
        if (context.path !== "/.well-known/openid-configuration") return;
        const metadata = context.body as { token_endpoint: string };
        metadata.token_endpoint = metadata.token_endpoint.replace("127.0.0.1", "localhost");
      });
      answer = provider.callback();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createProvider(issuer: string, origin: string): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: "none",
        redirect_uris: [`${origin}/auth/callback`],
        post_logout_redirect_uris: [`${origin}/`],
      },
    ],
    clientBasedCORS: (_context, from) => from === origin,
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, name: accountId }),
    }),
    claims: { openid: ["sub"], profile: ["name"] },
    conformIdTokenClaims: false,
    features: {
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: 3_600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
}
