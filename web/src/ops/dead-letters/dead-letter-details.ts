import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { OrderEventJson } from "@smartcart/gen/order/v1/order_pb";
import { listOrderEvents } from "../../api/orders.ts";
import { logPath, opsOrderPath } from "../../route.ts";
import { formatClock, formatPreciseClock } from "../../ui/time.ts";
import type { Console } from "../console.ts";
import { createResendForm } from "./resend-form.ts";

/** What is known of the order that a dead letter is about. */
export interface DeadLetterDetails {
  /** Loads the history and the log records. */
  open(deadLetter: DeadLetter): void;
  render(deadLetter: DeadLetter): TemplateResult;
}

interface Chapters {
  readonly key: string;
  /** undefined while it is read, null where it cannot be. */
  readonly events?: readonly OrderEventJson[] | null;
  readonly lines?: readonly LogRecord[] | null;
}

/** Log lines of a story, the newest. */
const shownLines = 12;

export function createDeadLetterDetails(operations: Console): DeadLetterDetails {
  const { shop, access, logs, signal } = operations;
  const resend = createResendForm(operations);
  let chapters: Chapters = { key: "" };
  const add = (key: string, change: Partial<Chapters>): void => {
    if (chapters.key !== key || signal.aborted) return;
    chapters = { ...chapters, ...change };
    shop.refresh();
  };
  const readLines = async ({ orderId, traceId }: DeadLetter): Promise<readonly LogRecord[]> => {
    const filter = orderId ? { orderId } : { traceId };
    const { records } = await logs.searchLogs(
      { filter, pageSize: shownLines },
      { signal, timeoutMs: 6_000 },
    );
    return records.toReversed();
  };
  return {
    open(deadLetter) {
      const { orderId, traceId, messageId: key } = deadLetter;
      chapters = { key };
      if (orderId) {
        listOrderEvents(access.tokens, orderId, 0, signal).then(
          (events) => add(key, { events: events ?? null }),
          () => add(key, { events: null }),
        );
      }
      if (orderId || traceId) {
        readLines(deadLetter).then(
          (lines) => add(key, { lines }),
          () => add(key, { lines: null }),
        );
      }
    },
    render: (deadLetter) => html`
      <div class="story">
        <div>
          <h3>Message</h3>
          <pre class="json" tabindex="0">${bodyOf(deadLetter)}</pre>
          ${resend.render(deadLetter)}
          ${deadLetter.attributesJson ? html`<h3>Properties and headers</h3><pre class="json" tabindex="0">${indented(deadLetter.attributesJson)}</pre>` : nothing}
        </div>
        ${deadLetter.orderId || deadLetter.traceId ? html`<div>${events(deadLetter, chapters)} ${lines(deadLetter, chapters)}</div>` : nothing}
      </div>
    `,
  };
}

function events({ orderId }: DeadLetter, { events }: Chapters): TemplateResult | typeof nothing {
  if (!orderId) return nothing;
  return html`
    <h3>Order <a href=${opsOrderPath(orderId)}>${orderId}</a></h3>
    ${note(events)}
    <ol class="rows">
      ${(events ?? []).map(
        ({ status, occurredAt, service }) =>
          html`<li><time datetime=${occurredAt ?? nothing}>${formatClock(occurredAt)}</time> ${status} <span class="muted">${service}</span></li>`,
      )}
    </ol>
  `;
}

function lines({ orderId, traceId }: DeadLetter, { lines }: Chapters): TemplateResult {
  return html`
    <h3>Log · <a href=${logPath(orderId || traceId)}>show all</a></h3>
    ${note(lines)}
    <ol class="rows">
      ${(lines ?? []).map(
        ({ occurredAt, service, event, message }) => html`
          <li>
            <time>${formatPreciseClock(occurredAt && timestampDate(occurredAt).toISOString())}</time>
            ${service} <strong>${event}</strong> <span class="muted">${message}</span>
          </li>
        `,
      )}
    </ol>
  `;
}

function note(chapter: readonly unknown[] | null | undefined): TemplateResult | typeof nothing {
  if (chapter === undefined) return html`<p class="muted">Loading…</p>`;
  if (chapter === null) return html`<p class="muted">Unavailable at the moment.</p>`;
  return chapter.length === 0 ? html`<p class="muted">None.</p>` : nothing;
}

/** The message as people can read it best. */
function bodyOf({ messageJson, bodySize }: DeadLetter): string {
  if (messageJson) return indented(messageJson);
  return bodySize === 0n ? "(empty)" : `Cannot be decoded: ${bodySize} bytes.`;
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
