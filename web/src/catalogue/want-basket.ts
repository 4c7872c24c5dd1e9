import type { Shop } from "../shop.ts";

/** Follows the products in the basket, and `more` of them, while a view shows them. Returns the function that ends it. */
export function wantBasket({ catalogue, basket }: Shop, more: readonly string[] = []): () => void {
  const ids = () => [...more, ...basket.get().map(({ productId }) => productId)];
  const ends = [catalogue.want(ids), basket.subscribe(catalogue.changed)];
  catalogue.changed();
  return () => {
    for (const end of ends) end();
  };
}
