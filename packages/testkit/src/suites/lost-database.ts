import { expect, it } from "vitest";
import { createDetachableDatabase } from "../detachable-database.ts";
import { errorOf } from "../error-of.ts";
import { waitFor } from "../wait-for.ts";

interface LostDatabaseCase {
  start(databaseUrl: string): Promise<AsyncDisposable & { readonly url: string }>;
  /** Makes the same call to the service at that base URL again and again: it is done once, and the answer is checked. */
  call(url: string): Promise<void>;
  /** Checks what the call ends with while the database is away. */
  expectUnavailable(error: unknown): void;
}

/** What a service with a database does while that is away. */
export function describeLostDatabase(o: LostDatabaseCase): void {
  it("answers UNAVAILABLE while the database is away, and serves again when it is back", async () => {
    await using database = await createDetachableDatabase();
    await using service = await o.start(database.url);
    await o.call(service.url);

    await database.detach();
    o.expectUnavailable(await errorOf(o.call(service.url)));
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503);

    await database.attach();
    await waitFor(() => o.call(service.url).then(() => true));
  });
}
