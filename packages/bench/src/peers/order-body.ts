/** The body of `POST /placeOrder`, and the check that a reader of the seed would write. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** As the seed has it: without a payment token. */
export interface OrderBody {
  readonly userId: string;
  readonly items: readonly Line[];
  readonly address: string;
}

export function isOrderBody(body: Partial<OrderBody> | undefined): body is OrderBody {
  return (
    typeof body?.userId === "string" &&
    typeof body.address === "string" &&
    Array.isArray(body.items) &&
    body.items.length > 0 &&
    body.items.every((line) => typeof line.productId === "string" && line.quantity > 0)
  );
}
