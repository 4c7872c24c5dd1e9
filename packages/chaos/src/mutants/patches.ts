/** Mistakes that the invariants must detect, each as a patch of the product's source. */
import type { Patch } from "./patch-source.ts";

export const patches = {
  /** Every copy of a message begins the shipment anew. */
  "copies-count": {
    file: "packages/shipping/src/store.ts",
    replacements: [
      {
        find: `      on conflict (order_id) do nothing
      returning order_id`,
        replace: `      on conflict (order_id) do update set started_at = excluded.started_at
      returning order_id`,
      },
    ],
  },
  /** Stock is read without a lock and written as what was read, plus or minus: two at once lose an update. */
  "no-compare-and-set": {
    file: "packages/inventory/src/store/write-reservations.ts",
    replacements: [
      {
        find: "where product_id = any($1::text[]) order by product_id for update`",
        replace: "where product_id = any($1::text[]) order by product_id`",
      },
      // The quick way as well.
      {
        find: "order by s.product_id for update of s",
        replace: "order by s.product_id",
      },
      {
        find: `update stock s set available = s.available - taken.units, reserved = s.reserved + taken.units,`,
        replace: `update stock s set available = taken.available - taken.units, reserved = taken.reserved + taken.units,`,
      },
      {
        find: "select s.product_id, wanted.units, s.available >= wanted.units as enough",
        replace:
          "select s.product_id, s.available, s.reserved, wanted.units, s.available >= wanted.units as enough",
      },
      {
        find: "      order by product_id for update`",
        replace: "      order by product_id`",
      },
      {
        find: `update stock s set available = s.available + move.available, reserved = s.reserved + move.reserved,
                           version = s.version + 1`,
        replace: `update stock s set available = old.available + move.available, reserved = old.reserved + move.reserved,
                           version = s.version + 1`,
      },
      {
        find: `as move (product_id, available, reserved)
`,
        replace: `as move (product_id, available, reserved) join stock old using (product_id)
`,
      },
    ],
  },
  /** The message is acknowledged first, and its effect comes a little later. */
  "ack-before-commit": {
    file: "packages/shipping/src/order-placed-consumer.ts",
    replacements: [
      {
        find: `        const begun = await retryWhileUnavailable(begin, o.log, signal);
        await announce(begun, o);
        o.onStarted(begun.length, leavesAfterMs);`,
        replace: `        void retryWhileUnavailable(begin, o.log, new AbortController().signal)
          .then(async (begun) => {
            await announce(begun, o);
            o.onStarted(begun.length, leavesAfterMs);
          })
          .catch(() => signal.aborted);`,
      },
    ],
  },
  /** The relay remembers the last position that it has seen and reads on from there. */
  "cursor-relay": {
    file: "packages/bus/src/outbox.ts",
    replacements: [
      {
        find: "  return rows;",
        replace: `  cursor = rows.at(-1)?.position ?? cursor;
  return rows;`,
      },
      {
        find: "    values: [limit],",
        replace: "    values: [limit, cursor],",
      },
      {
        find: "where (not_before is null or not_before <= now())",
        replace: "where candidate.position > $2::bigint",
      },
      {
        find: "/** A row that waits to be published. */",
        replace: 'let cursor = "0";\n\n/** A row that waits to be published. */',
      },
    ],
  },
  /** A payment that does not answer in time is treated as declined. */
  "release-on-timeout": {
    file: "packages/order/src/saga/steps.ts",
    replacements: [
      {
        find: "  const { payment } = await peers.payment.processPayment(",
        replace: "  const answer = await peers.payment.processPayment(",
      },
      {
        find: `    { signal },
  );
  switch (payment?.status) {`,
        replace: `    { signal },
  ).catch(() => ({ payment: { status: PaymentStatus.FAILED, declineCode: "timeout" } }));
  const { payment } = answer;
  switch (payment?.status) {`,
      },
    ],
  },
  /** Asking again is charging again. */
  "new-charge-id": {
    file: "packages/payment/src/payment-processor.ts",
    replacements: [
      {
        find: `        chargeId: orderId,
        amount: charge.amount,`,
        replace: `        chargeId: charged.has(orderId) ? \`\${orderId}-again\` : (charged.add(orderId), orderId),
        amount: charge.amount,`,
      },
      {
        find: "/** Creates the processor over a database and a provider.",
        replace:
          "const charged = new Set<string>();\n\n/** Creates the processor over a database and a provider.",
      },
    ],
  },
} as const satisfies Readonly<Record<string, Patch>>;

/** As they appear in `mutate.ts?NAME` and in reports. */
export type MutantName = keyof typeof patches;
