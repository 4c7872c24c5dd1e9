import { expect, test } from "vitest";
import type { LogFields } from "@smartcart/runtime";
import { silentLogger } from "@smartcart/runtime";
import { createSampledLog } from "./sampled-log.ts";

test("of each kind the first lines of a window are written, and the next one says how many were left out", () => {
  let nowMs = 0;
  const lines: (LogFields | undefined)[] = [];
  const log = { ...silentLogger, info: (_: string, fields?: LogFields) => void lines.push(fields) };
  const write = createSampledLog(log, "rpc.served", () => nowMs);
  for (let i = 0; i < 50_000; i++) write("GetOrder NOT_FOUND", { code: "NOT_FOUND" });
  write("GetOrder INVALID_ARGUMENT", { code: "INVALID_ARGUMENT" });
  expect(lines).toHaveLength(11);
  nowMs += 10_000;
  write("GetOrder NOT_FOUND", { code: "NOT_FOUND" });
  expect(lines.at(-1)).toEqual({ code: "NOT_FOUND", leftOut: 49_990 });
  nowMs += 10_000;
  write("GetOrder NOT_FOUND", { code: "NOT_FOUND" });
  expect(lines.at(-1)).toEqual({ code: "NOT_FOUND" });
});
