import type { PlaceOrderBody } from "../api/orders.ts";
import { placeOrder } from "../api/orders.ts";
import type { Problem } from "../api/problem.ts";
import { backoffMs } from "../backoff.ts";
import type { Basket } from "../basket/basket.ts";
import { takeOut } from "../basket/basket.ts";
import { orderPath } from "../route.ts";
import type { Shop } from "../shop.ts";
import { attemptFor, newIdempotencyKey } from "./attempt.ts";
import { cards } from "./cards.ts";
import type { FieldErrors } from "./field-errors.ts";
import { checkForm, hasFieldErrors, noFieldErrors, placeViolations } from "./field-errors.ts";
import type { Outcome } from "./submit-order.ts";
import { submitOrder } from "./submit-order.ts";

/** Where the checkout stands. */
export type Phase =
  | { readonly kind: "editing"; readonly refusal?: Problem; readonly offline?: boolean }
  | { readonly kind: "sending"; readonly repeating: boolean }
  | { readonly kind: "unsettled"; readonly problem: Problem | undefined };

/** A checkout: what is typed, what is under way, what came of it. Its view draws it and calls it. */
export interface Checkout {
  phase(): Phase;
  errors(): FieldErrors;
  /** Token of the chosen card. */
  token(): string;
  choose(token: string): void;
  /** Sends the order, or the one whose outcome is open again. While one is being sent it does nothing. */
  submit(): Promise<void>;
  /** Lets go of the attempt whose outcome is open. */
  giveUp(): void;
  /** The view is left: what is under way goes on, but nobody is led anywhere any more. */
  close(): void;
}

export function createCheckout(shop: Shop): Checkout {
  // After a reload in the middle of it, the checkout goes on where it was: with the same key.
  let phase: Phase = shop.attempt.get()
    ? { kind: "unsettled", problem: undefined }
    : { kind: "editing" };
  let errors = noFieldErrors;
  let token = sentBody(shop)?.paymentToken ?? cards[0].token;
  let closed = false;

  const show = (next: Phase): void => {
    phase = next;
    shop.refresh();
  };

  const settle = (outcome: Outcome): void => {
    if (outcome.kind === "unsettled") {
      show(outcome);
    } else {
      const sent = sentBody(shop);
      shop.attempt.set(undefined);
      if (outcome.kind === "placed") {
        if (sent) shop.basket.set(takeOut(shop.basket.get(), sent.items as Basket));
        if (!closed) shop.navigate(orderPath(outcome.order.orderId ?? ""));
        return;
      }
      errors = placeViolations(outcome.problem.violations);
      show({ kind: "editing", refusal: outcome.problem });
    }
    const atField = errors.userId || errors.address;
    if (!closed) shop.focus(atField ? "[aria-invalid=true]" : "[data-outcome]");
  };

  const send = async (body: string): Promise<void> => {
    const attempt = attemptFor(shop.attempt.get(), body, newIdempotencyKey);
    shop.attempt.set(attempt);
    show({ kind: "sending", repeating: false });
    shop.announce("Placing the order");
    const outcome = await submitOrder(attempt, {
      send: ({ key, body }) => placeOrder(key, body),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      backoffMs: (failures) => backoffMs(failures, Math.random()),
      onRepeat: () => show({ kind: "sending", repeating: true }),
    });
    settle(outcome);
  };

  return {
    phase() {
      // The answer may have come to a view that was left in between.
      if (phase.kind === "unsettled" && !shop.attempt.get()) phase = { kind: "editing" };
      return phase;
    },
    errors: () => errors,
    token: () => token,
    choose(chosen) {
      token = chosen;
      shop.refresh();
    },
    async submit() {
      if (phase.kind === "sending") return;
      if (phase.kind === "editing") {
        errors = checkForm(shop.customer.get());
        show({ kind: "editing", offline: !shop.online.get() });
        if (hasFieldErrors(errors)) return shop.focus("[aria-invalid=true]");
      }
      if (!shop.online.get()) return shop.focus("[data-outcome]");
      const open = phase.kind === "unsettled" ? shop.attempt.get()?.body : undefined;
      await send(open ?? bodyOf(shop, token));
    },
    giveUp() {
      shop.attempt.set(undefined);
      show({ kind: "editing" });
      shop.focus("#basket-heading");
    },
    close() {
      closed = true;
    },
  };
}

/** What the attempt under way says; undefined where there is none. */
export function sentBody(shop: Shop): PlaceOrderBody | undefined {
  const attempt = shop.attempt.get();
  // This page wrote it, or `parseAttempt` refused it.
  return attempt && (JSON.parse(attempt.body) as PlaceOrderBody);
}

/** The request as the form stands. */
function bodyOf(shop: Shop, paymentToken: string): string {
  const { userId, address } = shop.customer.get();
  const body: PlaceOrderBody = {
    userId: userId.trim(),
    items: shop.basket.get(),
    address: address.trim(),
    paymentToken,
  };
  return JSON.stringify(body);
}
