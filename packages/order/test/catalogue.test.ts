/** The copy of the catalogue is renewed for everybody, on nobody's time. */
import type { Transport } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { waitFor } from "@smartcart/testkit";
import { startRealService } from "./real-service.ts";

/** Holds every answer of ListProducts until it is let go. */
function holdCatalogue() {
  let asked = 0;
  let gate = Promise.withResolvers<void>();
  const wrap = (transport: Transport): Transport => ({
    ...transport,
    async unary(method, signal, ...rest) {
      if (method.name === "ListProducts") {
        asked += 1;
        const aborted = new Promise<never>((_, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason)),
        );
        await Promise.race([gate.promise, aborted]);
      }
      return transport.unary(method, signal, ...rest);
    },
  });
  return {
    wrap,
    letGo: () => gate.resolve(),
    hold() {
      gate = Promise.withResolvers();
    },
    get asked() {
      return asked;
    },
  };
}

it("a caller who hangs up while the catalogue is read takes it from nobody, and is no failure", async () => {
  const catalogue = holdCatalogue();
  await using service = await startRealService({ wrap: catalogue.wrap });
  const hangsUp = new AbortController();
  const first = service.place({ userId: "first" }, { signal: hangsUp.signal });
  await waitFor(() => catalogue.asked === 1);
  const others = Array.from({ length: 5 }, (_, index) => service.place({ userId: `u${index}` }));
  // They wait for the same copy.
  await new Promise((resolve) => setTimeout(resolve, 100));
  hangsUp.abort();
  await expect(first).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 100));
  catalogue.letGo();
  const answers = await Promise.all(others);
  expect(answers.map(({ status }) => status)).toEqual(others.map(() => 201));
  expect(catalogue.asked).toBe(1);
  expect(service.lines.filter(({ event }) => event === "catalogue.renewal_failed")).toEqual([]);
});

it("a copy that is renewed behind the scenes outlives the request that found it old", async () => {
  const catalogue = holdCatalogue();
  catalogue.letGo();
  await using service = await startRealService({ wrap: catalogue.wrap });
  await service.place();
  catalogue.hold();
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect((await service.place()).status).toBe(201);
  expect(catalogue.asked).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  catalogue.letGo();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await service.place()).status).toBe(201);
  expect(catalogue.asked).toBe(2);
  expect(service.lines.filter(({ event }) => event === "catalogue.renewal_failed")).toEqual([]);
});
