import assert from "node:assert/strict";
import type { Page, Request } from "playwright-core";
import { visitor } from "./visitor.ts";

/** What the backend made of a text. */
interface Placed {
  readonly orderId: string;
  readonly userId: string;
  readonly address: string;
}

/**
 * Orders under each text as name and address, by REST, and looks at the order's page: it shows the text as it is, to the
 * character, no script in it runs, and it makes no request to another origin. Answers how many the backend took; one that
 * it refuses must be the client's fault.
 */
export async function textIsOnlyText(
  page: Page,
  baseUrl: string,
  texts: readonly string[],
): Promise<number> {
  const foreign: string[] = [];
  const dialogs: string[] = [];
  page.on("request", (request: Request) => {
    if (new URL(request.url()).origin !== new URL(baseUrl).origin) foreign.push(request.url());
  });
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    return dialog.dismiss();
  });
  let shown = 0;
  await page.goto(baseUrl);
  for (const text of texts) {
    const placed =
      (await place(page, baseUrl, text, text)) ?? (await place(page, baseUrl, visitor("n"), text));
    if (placed === undefined) continue;
    assert.equal(placed.address, text);
    // As a link of the page does it.
    await page.evaluate((path) => {
      history.pushState(null, "", path);
      dispatchEvent(new PopStateEvent("popstate"));
    }, `/orders/${placed.orderId}`);
    await page.locator(`main:has-text("${placed.orderId}") dd.address`).waitFor();
    const [userId, address] = await page
      .locator(".delivery .facts dd")
      .evaluateAll((fields) => fields.map((field) => field.textContent));
    assert.deepEqual({ userId, address }, { userId: placed.userId, address: text });
    assert.equal(await page.locator(".delivery .facts dd *").count(), 0, text);
    shown += 1;
  }
  assert.deepEqual({ foreign, dialogs }, { foreign: [], dialogs: [] });
  return shown;
}

async function place(
  page: Page,
  baseUrl: string,
  userId: string,
  address: string,
): Promise<Placed | undefined> {
  const items = [{ productId: "espresso-beans", quantity: 1 }];
  const answer = await page.request.post(new URL("/placeOrder", baseUrl).href, {
    headers: { "content-type": "application/json" },
    data: JSON.stringify({ userId, items, address }),
  });
  assert.ok(
    [201, 202, 400].includes(answer.status()),
    `${answer.status()} for ${JSON.stringify(address)}`,
  );
  return answer.status() === 400 ? undefined : ((await answer.json()) as Placed);
}
