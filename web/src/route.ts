/** A page of the site. */
export type Route =
  | { readonly page: "shop" }
  | { readonly page: "product"; readonly productId: string }
  | { readonly page: "checkout" }
  | { readonly page: "orders" }
  | { readonly page: "order"; readonly orderId: string }
  | OpsRoute
  /** Where an OpenID provider sends the customer back to. */
  | { readonly page: "sign-in-callback" }
  | { readonly page: "not-found" };

/** A page of the operations console. `orderId` is set for section "order" only. */
export interface OpsRoute {
  readonly page: "ops";
  readonly section: OpsSection | "order";
  readonly orderId?: string;
}

/** The sections of the operations console; each but the overview is a path below /ops. */
export const opsSections = [
  "overview",
  "orders",
  "catalogue",
  "dead-letters",
  "log",
  "faults",
] as const;
export type OpsSection = (typeof opsSections)[number];

/** The page at a path. Trailing slashes do not matter. */
export function parseRoute(path: string): Route {
  const [first = "", second, ...rest] = path.split("/").filter((part) => part !== "");
  if (first === "ops") return parseOpsRoute([second, ...rest]) ?? { page: "not-found" };
  if (rest.length > 0) return { page: "not-found" };
  if (first === "auth" && second === "callback") return { page: "sign-in-callback" };
  if (second !== undefined) {
    const id = decode(second);
    if (id && first === "orders") return { page: "order", orderId: id };
    if (id && first === "products") return { page: "product", productId: id };
    return { page: "not-found" };
  }
  switch (first) {
    case "":
      return { page: "shop" };
    case "checkout":
      return { page: "checkout" };
    case "orders":
      return { page: "orders" };
    default:
      return { page: "not-found" };
  }
}

function parseOpsRoute([name = "overview", id, ...rest]: readonly (string | undefined)[]):
  | OpsRoute
  | undefined {
  const section = opsSections.find((one) => one === name);
  if (section === undefined || rest.length > 0) return undefined;
  if (id === undefined) return { page: "ops", section };
  const orderId = decode(id);
  return section === "orders" && orderId ? { page: "ops", section: "order", orderId } : undefined;
}

/** The path of a section of the operations console. */
export function opsPath(section: OpsSection): string {
  return section === "overview" ? "/ops" : `/ops/${section}`;
}

/** An order as operators see it: its whole story, and what can be done about it. */
export function opsOrderPath(orderId: string): string {
  return `/ops/orders/${encodeURIComponent(orderId)}`;
}

/** The linkable path of a product. */
export function productPath(productId: string): string {
  return `/products/${encodeURIComponent(productId)}`;
}

/** The linkable path of an order. */
export function orderPath(orderId: string): string {
  return `/orders/${encodeURIComponent(orderId)}`;
}

/** The log search of the operations console: for words, an order or a trace. */
export function logPath(words: string): string {
  return `/ops/log?${new URLSearchParams({ log: words })}`;
}

// A typed path may contain a percent sign that starts no escape.
function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
