import type { DescService } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

type Handler = (request: object, context: { signal: AbortSignal }) => Promise<unknown>;

/**
 * A caller who is gone before the turn of the call has come costs the database nothing. `createRoutes` is given dependencies that note whatever
 * is asked of them, and never answer.
 */
export function describeHangUps(
  service: DescService,
  createRoutes: (dependencies: never) => object,
): void {
  const unary = service.methods.filter(({ methodKind }) => methodKind === "unary");
  it.each(unary)("$name asks for nothing", async (method) => {
    const asked: string[] = [];
    const routes = createRoutes(untouched(asked)) as Record<string, Handler>;
    const call = routes[method.localName]?.(create(method.input), { signal: AbortSignal.abort() });
    await expect(call).rejects.toThrow("aborted");
    expect(asked).toEqual([]);
  });
}

function untouched(asked: string[], name = ""): never {
  const nothing = new Proxy(() => {}, {
    get: (_, key) => untouched(asked, `${name}.${String(key)}`),
    apply: () => {
      asked.push(name);
      return new Promise(() => {});
    },
  });
  return nothing as never;
}
