import type { MoneyJson } from "@smartcart/gen/type/v1/money_pb";
import type { PlaceOrderBody } from "../api/orders.ts";
import type { Problem } from "../api/problem.ts";
import type { PriceList } from "../basket/basket-total.ts";
import { basketTotal } from "../basket/basket-total.ts";
import { orderPath } from "../route.ts";
import type { Shop } from "../shop.ts";
import { openAttempt } from "./attempt.ts";
import { cards } from "./cards.ts";
import type { FieldErrors } from "./field-errors.ts";
import { checkForm, hasFieldErrors, noFieldErrors, placeViolations } from "./field-errors.ts";
import type { SubmissionState } from "./submission.ts";

/** State of the checkout's form, and of the order that it sends. The view draws it. */
export interface Checkout {
  state(): SubmissionState;
  errors(): FieldErrors;
  /** The prices at which the customer paid. */
  seenPrices(): PriceList;
  /** The customer tried to pay without a network. */
  isStoppedOffline(): boolean;
  /** Token of the chosen card. */
  token(): string;
  choose(token: string): void;
  /** Sends the order, or goes on with the open one. Does nothing while an order is being sent. */
  submit(): Promise<void>;
  /** Forgets the order whose outcome is open. */
  giveUp(): void;
  /** The view is left: an order that is being sent goes on, but no longer navigates or moves the focus. */
  close(): void;
}

export function createCheckout(shop: Shop): Checkout {
  const { submission } = shop;
  let errors = noFieldErrors;
  let token = sentBody(shop)?.paymentToken ?? cards[0].token;
  let isStopped = false;
  let seen: PriceList = shop.catalogue;

  /** Whether the form may be sent as it is; shows what is wrong with it otherwise. */
  const isComplete = (): boolean => {
    errors = checkForm({ ...shop.customer.get(), userId: userIdOf(shop) });
    shop.refresh();
    if (!hasFieldErrors(errors)) return true;
    shop.focus("[aria-invalid=true]");
    return false;
  };
  const end = submission.subscribe(() => {
    const state = submission.get();
    if (state.kind === "placed") return shop.navigate(orderPath(state.orderId));
    if (state.kind === "sending") return;
    if (state.kind === "refused") {
      errors = placeViolations(state.problem.violations);
      shop.catalogue.learnPrices(pricesIn(state.problem));
    }
    const atField = errors.userId || errors.address;
    shop.focus(atField ? "[aria-invalid=true]" : "[data-outcome], #basket-heading");
  });

  return {
    state: submission.get,
    errors: () => errors,
    seenPrices: () => seen,
    isStoppedOffline: () => isStopped && !shop.online.get(),
    token: () => token,
    choose(chosen) {
      token = chosen;
      shop.refresh();
    },
    async submit() {
      const { kind } = submission.get();
      if (kind === "sending") return;
      if (kind === "signed-out") return submission.resume();
      if (mustSignIn(shop)) return shop.session.begin();
      if (!isComplete()) return;
      isStopped = !shop.online.get();
      if (isStopped) return shop.focus("[data-outcome]");
      shop.announce("Sending the order");
      seen = pricesNow(shop);
      submission.submit(() => bodyOf(shop, token));
    },
    giveUp: submission.giveUp,
    close: end,
  };
}

/** The prices as the page shows them, to be compared with later ones. */
function pricesNow({ basket, catalogue }: Shop): PriceList {
  const seen = new Map(basket.get().map(({ productId }) => [productId, catalogue.find(productId)]));
  return { find: (productId) => seen.get(productId) };
}

/** What a refused order would cost now. */
function pricesIn({ items }: Problem): ReadonlyMap<string, MoneyJson> {
  return new Map(
    items.flatMap(({ productId, unitPrice }) =>
      productId && unitPrice ? [[productId, unitPrice] as const] : [],
    ),
  );
}

/** The body of the open attempt; undefined if there is none. */
export function sentBody(shop: Shop): PlaceOrderBody | undefined {
  const open = openAttempt(shop.attempt.get());
  // This page wrote it, or `parseAttempt` refused it.
  return open && (JSON.parse(open.body) as PlaceOrderBody);
}

/** The request as the form and the basket stand in all tabs; undefined where the basket is empty. */
function bodyOf(shop: Shop, paymentToken: string): string | undefined {
  const items = shop.basket.reload();
  if (items.length === 0) return undefined;
  const total = basketTotal(shop.catalogue, items);
  const body: PlaceOrderBody = {
    userId: userIdOf(shop),
    items,
    address: shop.customer.get().address.trim(),
    paymentToken,
    ...(total?.currencyCode && {
      expectedTotal: { currencyCode: total.currencyCode, minorUnits: String(total.minorUnits) },
    }),
  };
  return JSON.stringify(body);
}

/** The customer of the order: the one who is signed in at a provider, else the typed name. */
function userIdOf({ session, customer }: Shop): string {
  const isNamed = session.signIn()?.method !== "oidc";
  return isNamed ? customer.get().userId.trim() : (session.current()?.subject ?? "");
}

function mustSignIn({ session }: Shop): boolean {
  return session.signIn()?.method === "oidc" && session.current() === undefined;
}
