/** V8's memory after a garbage collection, in a process that was started with `--inspect`. */
import { once } from "node:events";

/** In bytes. */
interface Heap {
  /** Of objects. */
  readonly used: number;
  /** Of buffers outside the heap. */
  readonly external: number;
}

/** A busy process answers between two turns of its event loop; one that hangs does not answer. */
const patienceMs = 30_000;

/** Collects garbage in the process at `url` ("ws://…") and returns what is left. */
export async function readHeap(url: string): Promise<Heap> {
  const socket = new WebSocket(url);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const giveUp = (why: string) => broken.reject(new Error(`no word from the inspector: ${why}`));
  socket.addEventListener("error", () => giveUp("the connection failed"));
  const timer = setTimeout(giveUp, patienceMs, "it took too long");
  try {
    await Promise.race([once(socket, "open"), broken.promise]);
    return await Promise.race([collect(socket), broken.promise]);
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

async function collect(socket: WebSocket): Promise<Heap> {
  const call = createCalls(socket);
  // Twice: objects with a finalizer are freed by the second one.
  await call("HeapProfiler.collectGarbage");
  await call("HeapProfiler.collectGarbage");
  const expression = "JSON.stringify(process.memoryUsage())";
  const { result } = await call<{ result: { value: string } }>("Runtime.evaluate", { expression });
  const { heapUsed, external } = JSON.parse(result.value) as NodeJS.MemoryUsage;
  return { used: heapUsed, external };
}

function createCalls(socket: WebSocket) {
  const waiting = new Map<number, (result: never) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result: never };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  let last = 0;
  return <T>(method: string, params: object = {}): Promise<T> => {
    const id = ++last;
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}
