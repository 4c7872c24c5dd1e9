import { html } from "lit-html";
import type { View } from "../shop.ts";

/** For a path that is no page. */
export function createNotFoundView(): View {
  return {
    title: "Not found · SmartCart",
    render: () => html`
      <h1 tabindex="-1">Page not found</h1>
      <p>The link may be outdated or incomplete.</p>
      <p><a class="button" href="/">Go to the shop</a></p>
    `,
    close() {},
  };
}
