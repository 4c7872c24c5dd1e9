import { html } from "lit-html";
import type { View } from "../shop.ts";

/** For a path that is no page. */
export function createNotFoundView(): View {
  return {
    title: "Not found · SmartCart",
    render: () => html`
      <h1 tabindex="-1">There is no such page</h1>
      <p>The link may be old, or a letter went missing.</p>
      <p><a class="button" href="/">To the shop</a></p>
    `,
    close() {},
  };
}
