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

/** Phase of the checkout. */
export type Phase =
  | { readonly kind: "editing"; readonly refusal?: Problem; readonly offline?: boolean }
  | { readonly kind: "sending"; readonly repeating: boolean }
  | { readonly kind: "unsettled"; readonly problem: Problem | undefined };

/** State of a checkout: the form's errors, the request in progress, and its outcome. The view draws it. */
export interface Checkout {
  phase(): Phase;
  errors(): FieldErrors;
  /** Token of the chosen card. */
  token(): string;
  choose(token: string): void;
  /** Sends the order, or repeats the open attempt. Does nothing while an order is being sent. */
  submit(): Promise<void>;
  /** Discards the open attempt. */
  giveUp(): void;
  /** The view is left: a request in progress continues, but no longer navigates or moves the focus. */
  close(): void;
}

interface State {
  phase: Phase;
  errors: FieldErrors;
  token: string;
  /** The view is left. */
  closed: boolean;
}

export function createCheckout(shop: Shop): Checkout {
  const state: State = {
    // After a reload, the checkout continues with the same key.
    phase: shop.attempt.get() ? { kind: "unsettled", problem: undefined } : { kind: "editing" },
    errors: noFieldErrors,
    token: sentBody(shop)?.paymentToken ?? cards[0].token,
    closed: false,
  };
  const show = (phase: Phase): void => {
    state.phase = phase;
    shop.refresh();
  };
  /** Whether the form may be sent as it is; shows what is wrong with it otherwise. */
  const isComplete = (): boolean => {
    state.errors = checkForm({ ...shop.customer.get(), userId: userIdOf(shop) });
    show({ kind: "editing", offline: !shop.online.get() });
    if (!hasFieldErrors(state.errors)) return true;
    shop.focus("[aria-invalid=true]");
    return false;
  };

  return {
    phase() {
      // A view that was left meanwhile may have received the response.
      if (state.phase.kind === "unsettled" && !shop.attempt.get())
        state.phase = { kind: "editing" };
      return state.phase;
    },
    errors: () => state.errors,
    token: () => state.token,
    choose(token) {
      state.token = token;
      shop.refresh();
    },
    async submit() {
      if (state.phase.kind === "sending") return;
      if (state.phase.kind === "editing" && mustSignIn(shop)) return shop.session.begin();
      if (state.phase.kind === "editing" && !isComplete()) return;
      if (!shop.online.get()) return shop.focus("[data-outcome]");
      const open = state.phase.kind === "unsettled" ? shop.attempt.get()?.body : undefined;
      show({ kind: "sending", repeating: false });
      shop.announce("Placing the order");
      const onRepeat = () => show({ kind: "sending", repeating: true });
      settle(shop, state, await sendAttempt(shop, open ?? bodyOf(shop, state.token), onRepeat));
    },
    giveUp() {
      shop.attempt.set(undefined);
      show({ kind: "editing" });
      shop.focus("#basket-heading");
    },
    close() {
      state.closed = true;
    },
  };
}

/** Shows an outcome: the order's page, the errors at their fields, or that the outcome is unknown. */
function settle(shop: Shop, state: State, outcome: Outcome): void {
  if (outcome.kind === "unsettled") {
    state.phase = outcome;
  } else {
    const sent = sentBody(shop);
    shop.attempt.set(undefined);
    if (outcome.kind === "placed") {
      if (sent) shop.basket.set(takeOut(shop.basket.get(), sent.items as Basket));
      if (!state.closed) shop.navigate(orderPath(outcome.order.orderId ?? ""));
      return;
    }
    state.errors = placeViolations(outcome.problem.violations);
    state.phase = { kind: "editing", refusal: outcome.problem };
  }
  shop.refresh();
  const atField = state.errors.userId || state.errors.address;
  if (!state.closed) shop.focus(atField ? "[aria-invalid=true]" : "[data-outcome]");
}

/** Sends the order under the key of the open attempt, if its body is the same, or under a new key. */
function sendAttempt(shop: Shop, body: string, onRepeat: () => void): Promise<Outcome> {
  const attempt = attemptFor(shop.attempt.get(), body, newIdempotencyKey);
  // Stored before it is sent: a reload then repeats it under the same key.
  shop.attempt.set(attempt);
  return submitOrder(attempt, {
    send: ({ key, body }) => placeOrder(shop.session, key, body),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    backoffMs: (failures) => backoffMs(failures, Math.random()),
    onRepeat,
  });
}

/** The body of the open attempt; undefined if there is none. */
export function sentBody(shop: Shop): PlaceOrderBody | undefined {
  const attempt = shop.attempt.get();
  // This page wrote it, or `parseAttempt` refused it.
  return attempt && (JSON.parse(attempt.body) as PlaceOrderBody);
}

/** The request as the form stands. */
function bodyOf(shop: Shop, paymentToken: string): string {
  const body: PlaceOrderBody = {
    userId: userIdOf(shop),
    items: shop.basket.get(),
    address: shop.customer.get().address.trim(),
    paymentToken,
  };
  return JSON.stringify(body);
}

/** Whose order it is: the customer who is signed in at a provider, else the one who is named. */
function userIdOf({ session, customer }: Shop): string {
  const isNamed = session.signIn()?.method !== "oidc";
  return isNamed ? customer.get().userId.trim() : (session.current()?.subject ?? "");
}

function mustSignIn({ session }: Shop): boolean {
  return session.signIn()?.method === "oidc" && session.current() === undefined;
}
