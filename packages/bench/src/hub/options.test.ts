import { expect, test } from "vitest";
import { parseHubOptions } from "./options.ts";

test("without options it is the measurement of docs/performance.md", () => {
  expect(parseHubOptions([])).toEqual({
    sockets: 10_000,
    rate: 1_000,
    seconds: 20,
    rounds: 3,
    contenders: ["rabbitmq", "postgres", "socket.io"],
    json: undefined,
    profile: undefined,
  });
});

test("each option bounds a run", () => {
  const args = ["--sockets", "100", "--rate", "10", "--seconds", "2", "--contenders", "socket.io"];
  expect(parseHubOptions(args)).toMatchObject({
    sockets: 100,
    rate: 10,
    seconds: 2,
    contenders: ["socket.io"],
  });
});

test.each([
  ["--sockets", "0"],
  ["--sockets", "1e9"],
  ["--rate", "x"],
  ["--seconds", "1.5"],
  ["--rounds", "-1"],
  ["--contenders", "rabbitmq,other"],
  ["--other", "1"],
])("%s %s is rejected with the usage", (...args) => {
  expect(parseHubOptions(args)).toContain("npm run bench -- hub");
});
