/** What the page shows of the session: in the header, above every view, and in place of what only a customer may see. */
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Refusal, Session } from "./session.ts";

/** The signed-in customer, and the buttons to sign in or out. In development the typed name is the sign-in. */
export function accountTemplate(
  session: Session,
  onSignOut: () => void,
): TemplateResult | typeof nothing {
  const method = session.signIn()?.method;
  const held = session.current();
  if (method === "development" && held) {
    return html`<p class="account"><span class="account-name" title=${held.subject}>${held.name}</span></p>`;
  }
  if (method !== "oidc") return nothing;
  return html`
    <p class="account">
      ${
        held
          ? html`
              <span class="account-name" title=${held.subject}>${held.name}</span>
              <button type="button" class="quiet" @click=${onSignOut}>Sign out</button>
            `
          : signInButton(session, "quiet")
      }
    </p>
  `;
}

/** On every page: that the shop is open to the network, and why a call was refused. */
export function sessionNotices(session: Session): TemplateResult {
  const refusal = session.refusal();
  return html`
    ${session.signIn()?.isOpen ? openNotice() : nothing}
    ${refusal ? refusalNotice(session, refusal) : nothing}
  `;
}

/** In place of a view that only a customer may see. */
export function signInFirst(session: Session, title: string): TemplateResult {
  const method = session.signIn()?.method;
  return html`
    <h1 tabindex="-1">${title}</h1>
    ${
      method === "development"
        ? html`<p>Only the customer who placed the order can see it. Enter your name in <a href="/orders">My orders</a>.</p>`
        : html`<p>Only the customer who placed the order can see it.</p>`
    }
    ${method === "oidc" ? html`<p>${signInButton(session, "button primary")}</p>` : nothing}
  `;
}

/** In the order's form, in place of the name. */
export function signedInAs(session: Session): TemplateResult {
  const held = session.current();
  return held
    ? html`<p class="field">Signed in as <strong>${held.name}</strong></p>`
    : html`<p class="field">Sign in to place the order. ${signInButton(session, "button")}</p>`;
}

function signInButton(session: Session, style: string): TemplateResult {
  return html`<button type="button" class=${style} @click=${() => session.begin()}>Sign in</button>`;
}

function openNotice(): TemplateResult {
  return html`
    <p class="notice bad" data-banner="open">
      <strong>This shop has no access control.</strong> Anyone on the network can act as any customer: read, place and
      cancel orders. The operator allowed this with <code>SMARTCART_OPEN</code>; see Security in
      <code>docs/operations.md</code>.
    </p>
  `;
}

function refusalNotice(session: Session, refusal: Exclude<Refusal, "">): TemplateResult {
  const again = html`<button type="button" class="quiet" @click=${() => session.begin()}>Sign in again</button>`;
  const isOidc = session.signIn()?.method === "oidc";
  const texts = {
    needed: isOidc
      ? html`<strong>You are not signed in.</strong> ${signInButton(session, "quiet")}`
      : html`<strong>Your name is needed.</strong> Enter it in <a href="/orders">My orders</a>.`,
    expired: isOidc
      ? html`<strong>Your sign-in has expired.</strong> ${again}`
      : html`<strong>Your sign-in has expired</strong>, and the shop did not renew it. Try again.`,
    impossible: html`<strong>This shop requires an access token, and this page cannot obtain one.</strong> The operator
      has to set <code>AUTH_CLIENT_ID</code>; see Security in <code>docs/operations.md</code>.`,
    unreachable: html`<strong>The sign-in service cannot be used.</strong> It did not respond, or it refuses this page,
      or this page is not served by HTTPS. ${again}`,
  };
  return html`<p class="notice warn" data-banner="sign-in" data-refusal=${refusal}>${texts[refusal]}</p>`;
}
