import { render } from "lit-html";
import { createInventoryClient } from "./api/inventory.ts";
import { placeOrder } from "./api/orders.ts";
import type { Basket } from "./basket/basket.ts";
import { parseBasket, takeOut } from "./basket/basket.ts";
import { createCatalogue } from "./catalogue/catalogue.ts";
import { createProductView } from "./catalogue/product-view.ts";
import { createShopView } from "./catalogue/shop-view.ts";
import type { Attempt } from "./checkout/attempt.ts";
import { parseAttempt } from "./checkout/attempt.ts";
import { createCheckoutView } from "./checkout/checkout-view.ts";
import { createSubmission } from "./checkout/submission.ts";
import type { Observable } from "./observable.ts";
import { createObservable } from "./observable.ts";
import { createOrderView } from "./orders/order-view.ts";
import { createOrdersView } from "./orders/orders-view.ts";
import type { Route } from "./route.ts";
import { parseRoute } from "./route.ts";
import { parseHeldToken } from "./session/held-token.ts";
import type { Session } from "./session/session.ts";
import { createSession } from "./session/session.ts";
import { signInApi } from "./session/sign-in.ts";
import type { Customer, Shop, View } from "./shop.ts";
import { parseCustomer } from "./shop.ts";
import { createStored } from "./storage.ts";
import { createLazyView } from "./ui/lazy-view.ts";
import { createNotFoundView } from "./ui/not-found-view.ts";
import { shellTemplate } from "./ui/shell.ts";

/** Runs the site in `root`: one view at a time, selected by the path and redrawn after each change. */
export function startApp(root: HTMLElement): void {
  const announcement = createObservable("");
  let focusNext: string | undefined;
  let drawing = false;

  const draw = (): void => {
    drawing = false;
    const path = location.pathname;
    render(
      shellTemplate({ shop, path, view: view.render(), announcement: announcement.get() }),
      root,
    );
    describePage(view);
    const selector = focusNext;
    focusNext = undefined;
    if (selector) root.querySelector<HTMLElement>(selector)?.focus();
  };
  const refresh = (): void => {
    if (drawing) return;
    drawing = true;
    // A hidden page draws no frames, but its title has to be up to date.
    if (document.hidden) setTimeout(draw);
    else requestAnimationFrame(draw);
  };

  const shop: Shop = {
    ...createShopState(),
    navigate(path) {
      history.pushState(null, "", path);
      show();
    },
    announce: (text) => announcement.set(text),
    refresh,
    focus(selector) {
      focusNext = selector;
      refresh();
    },
  };

  let view = openView(shop);
  const show = (): void => {
    if (!view.moveTo?.(parseRoute(location.pathname))) {
      view.close();
      view = openView(shop);
    }
    scrollTo(0, 0);
    // Moves screen readers to the heading of the new page.
    shop.focus("h1");
  };

  const { catalogue, basket, attempt, submission, online, session } = shop;
  for (const value of [catalogue, basket, attempt, submission, online, session, announcement]) {
    value.subscribe(refresh);
  }
  followNetwork(online);
  addEventListener("popstate", show);
  root.addEventListener("click", (event) => followLink(event, shop));
  submission.resume();
  draw();
}

/** For the tab, the history and search engines. */
function describePage({ title, description = "" }: View): void {
  document.title = title;
  document.querySelector("meta[name=description]")?.setAttribute("content", description);
}

/** Not every browser reports every change: a laptop that wakes up may have missed its own. */
function followNetwork(online: Observable<boolean>): void {
  for (const type of ["online", "offline", "pageshow", "focus"]) {
    addEventListener(type, () => online.set(navigator.onLine));
  }
}

/** What survives a change of view, and partly a reload. */
function createShopState(): Pick<
  Shop,
  "catalogue" | "basket" | "customer" | "session" | "attempt" | "submission" | "online"
> {
  const customer = createStored<Customer>({
    storage: localStorage,
    key: "smartcart.customer",
    parse: parseCustomer,
  });
  const session = openSession(() => customer.get().userId);
  const basket = createStored<Basket>({
    storage: localStorage,
    key: "smartcart.basket",
    parse: parseBasket,
  });
  const attempt = createStored<Attempt | undefined>({
    storage: localStorage,
    key: "smartcart.attempt",
    parse: parseAttempt,
  });
  return {
    catalogue: createCatalogue(createInventoryClient(session)),
    customer,
    session,
    basket,
    attempt,
    submission: createSubmission({
      attempt,
      send: ({ key, body }, signal) => placeOrder(session, key, body, signal),
      onPlaced(body) {
        const { items } = JSON.parse(body) as { readonly items: Basket };
        basket.set(takeOut(basket.reload(), items));
      },
    }),
    online: createObservable(navigator.onLine),
  };
}

/** Shared by all tabs: a sign-in or sign-out in one applies to each. */
function openSession(name: () => string): Session {
  return createSession({
    api: signInApi,
    stored: createStored({
      storage: localStorage,
      key: "smartcart.token",
      parse: parseHeldToken,
      format: (held) => held && JSON.stringify(held),
    }),
    name,
    provider: () => import("./session/oidc.ts"),
  });
}

function openView(shop: Shop): View {
  const route: Route = parseRoute(location.pathname);
  switch (route.page) {
    case "shop":
      return createShopView(shop);
    case "product":
      return createProductView(shop, route.productId);
    case "checkout":
      return createCheckoutView(shop);
    case "orders":
      return createOrdersView(shop);
    case "order":
      return createOrderView(shop, route.orderId);
    case "ops":
      // Loaded on demand, so that the shop does not load the console's code.
      return createLazyView(shop, {
        title: "Operations console",
        load: async () => (await import("./ops/ops-view.ts")).createOpsView(shop, route),
      });
    case "sign-in-callback":
      return createLazyView(shop, {
        title: "Signing in",
        load: async () => (await import("./session/callback-view.ts")).createCallbackView(shop),
      });
    case "not-found":
      return createNotFoundView();
  }
}

/** Follows a plain click on a link of the site without loading the page again. */
function followLink(event: MouseEvent, shop: Shop): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest<HTMLAnchorElement>("a[href]");
  if (!link || link.origin !== location.origin || link.hasAttribute("data-external")) return;
  // The browser handles the "#main" of the skip link.
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  shop.navigate(link.pathname + link.search);
}
