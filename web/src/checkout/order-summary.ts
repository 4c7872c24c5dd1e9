import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Basket } from "../basket/basket.ts";
import { basketLines, fixedLines } from "../basket/basket-lines.ts";
import { basketTotal } from "../basket/basket-total.ts";
import type { Shop } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { sentBody } from "./checkout.ts";
import type { SubmissionState } from "./submission.ts";

interface SummaryOptions {
  readonly state: SubmissionState;
  /** The backend's words on a line, by its position. */
  readonly errors: ReadonlyMap<number, string>;
  readonly locked: boolean;
}

/** What is ordered, what it comes to, and the button that pays for it. It stays while the order is sent. */
export function orderSummary(
  shop: Shop,
  { state, errors, locked }: SummaryOptions,
): TemplateResult {
  const sent = locked ? (sentBody(shop)?.items as Basket | undefined) : undefined;
  const lines = sent ?? shop.basket.get();
  return html`
    <section class="panel summary" aria-labelledby="basket-heading">
      <h2 id="basket-heading" tabindex="-1">Summary</h2>
      ${locked ? fixedLines(shop, lines) : basketLines(shop, errors)}
      ${payButton(state, formatMoney(basketTotal(shop.catalogue, lines)))}
    </section>
  `;
}

function payButton(state: SubmissionState, total: string): TemplateResult {
  const isSending = state.kind === "sending";
  const isIdle = isSending || state.kind === "expired";
  const texts: Partial<Record<SubmissionState["kind"], string>> = {
    sending: "Sending the order…",
    "signed-out": "Check again",
  };
  const text = texts[state.kind] ?? (total ? `Pay ${total}` : "Pay");
  // It stays focusable while busy, so that the focus is still there when the answer comes.
  return html`
    <p class="submit">
      <button class="button primary wide" data-pay aria-disabled=${isIdle ? "true" : nothing}>${text}</button>
      <span class="muted" role="status">
        ${isSending && state.failures > 0 ? "No answer yet; asking again. It stays one order." : nothing}
      </span>
    </p>
  `;
}
