/** Where a peer's services and engines are; `contenders.ts` sets it. */
const number = (name: string) => Number(process.env[name]);

/** NaN for a port that the process was not given. */
export const ports = {
  order: number("ORDER_PORT"),
  inventory: number("INVENTORY_PORT"),
  payment: number("PAYMENT_PORT"),
  shipping: number("SHIPPING_PORT"),
  hub: number("STATUS_PORT"),
};
export const amqpUrl = process.env.AMQP_URL ?? "";
export const databaseUrl = process.env.DATABASE_URL ?? "";
/** Products "bench-000000", "bench-000001", … */
export const products = number("BENCH_PRODUCTS");

export const productId = (index: number): string => `bench-${String(index).padStart(6, "0")}`;
