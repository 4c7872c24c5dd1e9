import { html } from "lit-html";
import type { Shop, View } from "../shop.ts";
import { completeSignIn } from "./oidc.ts";
import type { Session } from "./session.ts";

/** Where the provider sends the customer back to: completes the sign-in and returns to the page that asked for it. */
export function createCallbackView(shop: Shop): View {
  const { session } = shop;
  let failure = "";
  complete(session).catch((error: Error) => {
    failure = error.message;
    shop.focus("[role=alert]");
  });
  return {
    title: "Signing in · SmartCart",
    render: () => html`
      <h1 tabindex="-1">${failure ? "Sign-in failed" : "Signing in"}</h1>
      ${
        failure
          ? html`
              <div class="notice bad" role="alert" tabindex="-1">
                <p>You are not signed in. Reason: ${failure}</p>
                <p>
                  <button type="button" class="button" @click=${() => session.begin()}>Sign in again</button>
                </p>
              </div>
            `
          : html`<p class="muted" role="status">Please wait…</p>`
      }
    `,
    close() {},
  };
}

async function complete(session: Session): Promise<void> {
  const settings = await session.oidc();
  if (!settings) throw new Error("This shop has no sign-in.");
  const { held, returnTo } = await completeSignIn(settings);
  session.accept(held);
  // The code in this URL is spent: the history must not lead back to it.
  location.replace(returnTo);
}
