import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { describeHangUps } from "@smartcart/testkit/suites";
import { createPaymentRoutes } from "../src/routes.ts";

describeHangUps(PaymentService, createPaymentRoutes);
