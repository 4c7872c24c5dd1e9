import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Session } from "../session/session.ts";
import type { ConsoleAccess } from "./console-access.ts";

/** Asks for the operator's token. */
export function tokenForm(
  session: Session,
  access: ConsoleAccess,
  onGiven: () => void,
): TemplateResult {
  const isRefused = access.wanted.get() === "refused";
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("token") as HTMLInputElement;
    if (field.value.trim() === "") field.focus();
    else {
      access.give(field.value);
      onGiven();
    }
  };
  return html`
    <form class="panel token-form" aria-labelledby="token-heading" @submit=${submit}>
      <h2 id="token-heading">Token required</h2>
      <p>
        Enter the <code>OPS_TOKEN</code> of this SmartCart${
          session.signIn()?.method === "oidc"
            ? html`, or sign in (at the top of the page) with an account that has the scope <code>operator</code>`
            : nothing
        }. The browser stores the token for this tab only.
      </p>
      <div class="field">
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          aria-invalid=${isRefused ? "true" : nothing}
          aria-describedby=${isRefused ? "token-error" : nothing}
        />
        ${isRefused ? html`<p class="field-error" id="token-error" role="alert">The token is incorrect.</p>` : nothing}
      </div>
      <button class="button primary">Open the console</button>
    </form>
  `;
}
