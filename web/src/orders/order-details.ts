import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { logPath } from "../route.ts";
import { formatElapsed, formatPreciseClock } from "../ui/time.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";

/** For support: ids, and which service did what when. Collapsed, since customers need none of it. */
export function orderDetails(
  orderId: string,
  { traceId }: OrderJson,
  { entries }: Timeline,
): TemplateResult {
  const first = entries[0]?.occurredAt;
  return html`
    <details class="panel details">
      <summary>Details</summary>
      <dl class="facts">
        <dt>Order</dt>
        <dd><code>${orderId}</code></dd>
        ${traceId ? html`<dt>Trace</dt><dd><code class="trace-id">${traceId}</code></dd>` : nothing}
      </dl>
      <ol class="origins">
        ${repeat(
          entries,
          (entry) => entry.sequence,
          (entry) => origin(entry, first),
        )}
      </ol>
      <p><a href=${logPath(orderId)}>Log records of this order</a></p>
    </details>
  `;
}

function origin(entry: TimelineEntry, first: string | undefined): TemplateResult {
  const { sequence, status, occurredAt, service, traceId } = entry;
  return html`
    <li>
      <span>${status}</span>
      <span class="muted">${service}</span>
      <span class="muted">
        ${
          traceId
            ? html`<a href=${logPath(traceId)} title="Lines of trace ${traceId} in the log"><code>${traceId.slice(0, 8)}</code></a>`
            : nothing
        }
      </span>
      <span class="muted elapsed">${formatPreciseClock(occurredAt)} ${sequence > 1 ? formatElapsed(first, occurredAt) : nothing}</span>
    </li>
  `;
}
