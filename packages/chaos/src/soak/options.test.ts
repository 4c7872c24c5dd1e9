import { expect, it } from "vitest";
import { UsageError } from "@smartcart/testkit";
import { parseSoakLine } from "./options.ts";

it("has a default for everything", () => {
  expect(parseSoakLine([])).toMatchObject({
    queues: ["postgres"],
    seconds: 120,
    rounds: 1,
    rate: 50,
  });
  expect(parseSoakLine([]).attacks.length).toBeGreaterThanOrEqual(7);
});

it("takes the floods by one name, with a time that fits into a break", () => {
  const line = parseSoakLine(["--attacks", "floods"]);
  expect(line.attacks).toContain("slow-clients");
  expect(line.attacks.length * line.rounds * (2 * line.seconds + 2)).toBeLessThan(420);
});

it("takes some of the attacks", () => {
  const line = ["--attacks", "resets,bodies", "--queue", "rabbitmq"];
  expect(parseSoakLine(line)).toMatchObject({
    queues: ["rabbitmq"],
    attacks: ["resets", "bodies"],
  });
});

it.each([
  ["--queue", "kafka"],
  ["--seconds", "0"],
  ["--rate", "x"],
  ["--attacks", "hail"],
  ["--x"],
])("rejects %s %s", (...args) => expect(() => parseSoakLine(args)).toThrow(UsageError));
