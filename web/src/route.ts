/** A page of the site. */
export type Route =
  | { readonly page: "shop" }
  | { readonly page: "product"; readonly productId: string }
  | { readonly page: "checkout" }
  | { readonly page: "orders" }
  | { readonly page: "order"; readonly orderId: string }
  | { readonly page: "ops" }
  /** Where an OpenID provider sends the customer back to. */
  | { readonly page: "sign-in-callback" }
  | { readonly page: "not-found" };

/** The page at a path. Trailing slashes do not matter. */
export function parseRoute(path: string): Route {
  const [first = "", second, ...rest] = path.split("/").filter((part) => part !== "");
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
    case "ops":
      return { page: "ops" };
    default:
      return { page: "not-found" };
  }
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
  return `/ops?${new URLSearchParams({ log: words })}`;
}

// A typed path may contain a percent sign that starts no escape.
function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
