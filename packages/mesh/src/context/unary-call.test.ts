import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { callEnded, UnaryCall } from "./unary-call.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(timeoutMs?: number): UnaryCall {
  const method = InventoryService.method.checkStock;
  const common = { protocolName: "test", url: "test:///", requestHeader: new Headers() };
  return new UnaryCall({ method, ...common, timeoutMs });
}

const hungUp = new ConnectError("hung up", Code.Canceled);

test("the signal tells how the call ended, whether it is asked for before or after", () => {
  const [before, after] = [begin(), begin()];
  const { signal } = before;
  expect(signal.aborted).toBe(false);
  before.end(hungUp);
  after.end(hungUp);
  expect([signal.reason, after.signal.reason]).toEqual([hungUp, hungUp]);
  after.end();
  expect(after.signal.reason).toBe(hungUp);
});

test("the deadline ends the call, and a call that has ended leaves no timer", async () => {
  const call = begin(50);
  const waiting = call.untilEnd(() => new Promise(() => {}));
  expect(call.timeoutMs()).toBe(50);
  vi.advanceTimersByTime(49);
  expect(call.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  await expect(waiting).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect(call.signal.aborted).toBe(true);
  begin(50).end();
  expect(vi.getTimerCount()).toBe(0);
});

test("work is given up when the call ends, and not begun after it", async () => {
  const call = begin();
  const work = vi.fn(() => new Promise(() => {}));
  const waiting = call.untilEnd(work);
  call.end(hungUp);
  await expect(waiting).rejects.toBe(hungUp);
  await expect(call.untilEnd(work)).rejects.toBe(hungUp);
  expect(work).toHaveBeenCalledOnce();
});

test("work that is done keeps its result", async () => {
  const call = begin();
  await expect(call.untilEnd(async () => 1)).resolves.toBe(1);
  call.end();
  expect(call.signal.reason).toBe(callEnded);
});
