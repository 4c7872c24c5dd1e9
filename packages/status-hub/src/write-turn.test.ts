import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { createWriteTurn } from "./write-turn.ts";

/** A connection that notes each of its system calls: how many chunks it took at once. */
function createConnection() {
  const calls: number[] = [];
  const connection = new Writable({
    write(_chunk, _encoding, done) {
      calls.push(1);
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.length);
      done();
    },
  });
  return { connection, calls };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test("what is written in one turn leaves each connection at once", async () => {
  const turn = createWriteTurn();
  const one = createConnection();
  const other = createConnection();
  for (let i = 0; i < 5; i++) turn.write(one.connection, Buffer.from("x"));
  turn.write(other.connection, Buffer.from("x"));
  expect(one.calls).toEqual([]);
  await nextTurn();
  turn.write(one.connection, Buffer.from("x"));
  await nextTurn();
  expect(one.calls).toEqual([5, 1]);
  expect(other.calls).toEqual([1]);
});

test("much is not held back, so that only a slow connection has much waiting", async () => {
  const turn = createWriteTurn();
  const { connection, calls } = createConnection();
  for (let i = 0; i < 100; i++) {
    turn.write(connection, Buffer.alloc(1000));
    expect(connection.writableLength).toBeLessThan(20_000);
  }
  await nextTurn();
  expect(calls.reduce((sum, chunks) => sum + chunks, 0)).toBe(100);
  expect(calls.length).toBeLessThan(10);
});
