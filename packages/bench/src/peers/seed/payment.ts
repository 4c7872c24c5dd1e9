import { ports } from "../environment.ts";
import { serve } from "../grpc.ts";

await serve("Payment", ports.payment, { processPayment: () => ({ isPaid: true }) });
