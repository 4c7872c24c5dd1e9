import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import {
  ProcessPaymentRequestSchema,
  ProcessPaymentResponseSchema,
} from "@smartcart/gen/payment/v1/payment_service_pb";
import { runCommand } from "@smartcart/testkit";
import type { TestPayment } from "./support.ts";
import { newCharge, startTestPayment } from "./support.ts";

const buf = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));
const python = "/usr/bin/python3";

let payment: TestPayment;
beforeAll(async () => {
  payment = await startTestPayment();
});
afterAll(() => payment[Symbol.asyncDispose]());

describe("buf curl, which learns the schema from the server", () => {
  it.each([
    ["connect", []],
    ["connect", ["--http2-prior-knowledge"]],
    ["grpc", ["--http2-prior-knowledge"]],
    ["grpcweb", []],
  ])("charges over %s %j", async (protocol, flags) => {
    const { stdout } = await runCommand(buf, [
      "curl",
      "--protocol",
      protocol,
      ...flags,
      "--data",
      JSON.stringify({
        orderId: `ORD-${protocol}-${flags.length}`,
        userId: "u1",
        amount: { currencyCode: "USD", minorUnits: "1250" },
        paymentToken: "tok_declined",
      }),
      `${payment.url}/smartcart.payment.v1.PaymentService/ProcessPayment`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      payment: {
        amount: { currencyCode: "USD", minorUnits: "1250" },
        status: "PAYMENT_STATUS_DECLINED",
        declineCode: "card_declined",
      },
    });
  });
});

it.skipIf(!hasGrpcio())("answers python3-grpcio", async () => {
  const script = `
import grpc, sys
channel = grpc.insecure_channel(sys.argv[1])
call = channel.unary_unary("/smartcart.payment.v1.PaymentService/ProcessPayment")
print(call(bytes.fromhex(sys.argv[2]), timeout=10).hex())
`;
  const request = create(ProcessPaymentRequestSchema, newCharge());
  const { stdout } = await runCommand(python, [
    "-c",
    script,
    new URL(payment.url).host,
    Buffer.from(toBinary(ProcessPaymentRequestSchema, request)).toString("hex"),
  ]);
  const answer = fromBinary(ProcessPaymentResponseSchema, Buffer.from(stdout.trim(), "hex"));
  expect(answer.payment?.status).toBe(PaymentStatus.CAPTURED);
});

function hasGrpcio(): boolean {
  return spawnSync(python, ["-c", "import grpc"], { stdio: "ignore" }).status === 0;
}
