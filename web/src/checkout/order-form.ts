import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { signedInAs } from "../session/account.ts";
import type { Session } from "../session/session.ts";
import type { Customer } from "../shop.ts";
import { cards } from "./cards.ts";
import type { FieldErrors } from "./field-errors.ts";

/** The values of the fields and their handlers. */
export interface OrderFormOptions {
  readonly customer: Customer;
  readonly session: Session;
  /** Token of the chosen card. */
  readonly token: string;
  readonly errors: FieldErrors;
  /** Nothing can be changed: an order with these values is on its way. */
  readonly locked: boolean;
  /** With the field that was changed, and only that one. */
  readonly onCustomer: (change: Partial<Customer>) => void;
  readonly onToken: (token: string) => void;
}

/** The customer's name. In development it is also the sign-in. */
export function contactStep(options: OrderFormOptions): TemplateResult {
  const { session } = options;
  const isOidc = session.signIn()?.method === "oidc";
  return step(1, "Contact", isOidc ? signedInAs(session) : nameField(options), options);
}

/** Where the order goes. */
export function addressStep(options: OrderFormOptions): TemplateResult {
  const { customer, errors, onCustomer } = options;
  const field = html`
    <div class="field">
      <label for="address">Address</label>
      <textarea
        id="address"
        name="address"
        autocomplete="street-address"
        rows="3"
        maxlength="500"
        aria-required="true"
        aria-invalid=${errors.address ? "true" : nothing}
        aria-describedby=${errors.address ? "address-error" : nothing}
        .value=${live(customer.address)}
        @input=${(event: Event) => onCustomer({ address: textOf(event) })}
      ></textarea>
      ${fieldError("address", errors.address)}
    </div>
  `;
  return step(2, "Delivery", field, options);
}

/** The choice of a simulated card. */
export function paymentStep(options: OrderFormOptions): TemplateResult {
  const { token, errors, onToken } = options;
  const choice = html`
    <fieldset
      class="cards"
      role="radiogroup"
      aria-invalid=${errors.paymentToken ? "true" : nothing}
      aria-describedby=${errors.paymentToken ? "paymentToken-error" : nothing}
    >
      <legend>Pay with a simulated card</legend>
      ${cards.map(
        (card) => html`
          <label class="card">
            <input
              type="radio"
              name="paymentToken"
              value=${card.token}
              .checked=${live(card.token === token)}
              @change=${() => onToken(card.token)}
            />
            <span><strong>${card.name}</strong><br />${card.effect}</span>
          </label>
        `,
      )}
      ${fieldError("paymentToken", errors.paymentToken)}
    </fieldset>
  `;
  return step(3, "Payment", choice, options);
}

function step(
  number: number,
  title: string,
  content: TemplateResult,
  { locked }: OrderFormOptions,
): TemplateResult {
  return html`
    <section class="panel" aria-labelledby="step-${number}">
      <h2 id="step-${number}"><span class="step-number" aria-hidden="true">${number}</span>${title}</h2>
      <fieldset class="plain" ?disabled=${locked}>${content}</fieldset>
    </section>
  `;
}

function nameField({ customer, errors, onCustomer }: OrderFormOptions): TemplateResult {
  return html`
    <div class="field">
      <label for="userId">Your name</label>
      <input
        id="userId"
        name="userId"
        autocomplete="username"
        maxlength="64"
        aria-required="true"
        aria-invalid=${errors.userId ? "true" : nothing}
        aria-describedby=${errors.userId ? "userId-error" : nothing}
        .value=${live(customer.userId)}
        @input=${(event: Event) => onCustomer({ userId: textOf(event) })}
      />
      ${fieldError("userId", errors.userId)}
    </div>
  `;
}

function fieldError(field: string, message: string | undefined): TemplateResult | typeof nothing {
  return message ? html`<p class="field-error" id="${field}-error">${message}</p>` : nothing;
}

function textOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement).value;
}
