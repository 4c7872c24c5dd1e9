import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { DeadLetterSchema } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { FaultSwitch } from "@smartcart/gen/ops/v1/instance_report_pb";
import { FaultSwitchSchema } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Invariant } from "@smartcart/gen/ops/v1/invariant_pb";
import { InvariantSchema, InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import { fakeOrderId } from "./fake-log.ts";

/** Three messages that were given up, one of which cannot be decoded. */
export function fakeDeadLetters(): DeadLetter[] {
  const orderPlaced = (index: number) => ({
    type: "smartcart.events.v1.OrderPlaced",
    orderId: fakeOrderId(index),
    messageJson: JSON.stringify({
      orderId: fakeOrderId(index),
      userId: "[redacted]",
      address: "[redacted]",
      items: [{ productId: "ceramic-mug", quantity: 2 }],
    }),
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    attempts: 4,
    reason: "failed on every rung: the carrier did not answer within 2 s",
  });
  const deadLetters = [
    orderPlaced(3),
    orderPlaced(7),
    {
      attempts: 1,
      reason: "cannot be decoded: invalid wire type 7",
      bodySize: 11n,
    },
  ];
  return deadLetters.map((deadLetter, index) =>
    create(DeadLetterSchema, {
      queue: "orders",
      messageId: `0198-4c7e-${index + 1}`,
      failedAt: timestampFromMs(Date.now() - (index + 1) * 95_000),
      ...deadLetter,
    }),
  );
}

const kept = [
  [
    "stock is never oversold",
    "No product has fewer than no units, and the entries of its ledger add up.",
  ],
  ["charged at most once", "No order has two charges."],
  ["paid is shipped or paid back", "Every charge belongs to an order that ships, or went back."],
  ["every order settles", "No order stays undecided for longer than a payment may take."],
  ["histories have no hole", "The sequence numbers of each order’s history are contiguous."],
  ["one parcel an order", "No order is shipped twice."],
] as const;

export function fakeInvariants(isRepaired: boolean): Invariant[] {
  const checkedAt = timestampFromMs(Date.now());
  const broken = create(InvariantSchema, {
    name: "no payment without an order",
    description: "Of an order that was rejected or cancelled, neither money nor units are kept.",
    state: isRepaired ? InvariantState.HOLDS : InvariantState.VIOLATED,
    rowsJson: isRepaired
      ? []
      : [JSON.stringify({ order_id: fakeOrderId(3), held_minor: 1250, state: "REJECTED" })],
    rowCount: isRepaired ? 0n : 1n,
    isRepairable: true,
    checkedAt,
  });
  return [
    ...kept.map(([name, description]) =>
      create(InvariantSchema, { name, description, state: InvariantState.HOLDS, checkedAt }),
    ),
    broken,
  ];
}

export function fakeSwitches(): FaultSwitch[] {
  return [
    {
      service: "ops",
      name: "load",
      title: "Orders placed by itself",
      max: 200n,
      unit: "orders/s",
      value: 24n,
    },
    { service: "payment", name: "decline", title: "Decline every card", max: 1n },
    { service: "payment", name: "delay", title: "Bank answers late", max: 5_000n, unit: "ms" },
    { service: "shipping", name: "fail", title: "Shipments fail", max: 100n, unit: "%" },
    { service: "status-hub", name: "cut", title: "Cut every socket", max: 1n },
  ].map((one) => create(FaultSwitchSchema, one));
}
