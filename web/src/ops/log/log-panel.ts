import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import { logPath, opsOrderPath, opsPath } from "../../route.ts";
import { formatCount } from "../../ui/numbers.ts";
import { formatPreciseClock } from "../../ui/time.ts";
import { streamNote } from "../stream-note.ts";
import type { LogQuery } from "./log-query.ts";
import { severityWord } from "./log-query.ts";
import type { LogTail } from "./log-tail.ts";

/** The central log. */
export interface LogPanel {
  /** @param services The services that can be chosen. */
  render(services: readonly string[]): TemplateResult;
}

export function createLogPanel(tail: LogTail): LogPanel {
  let query = tail.query();
  let typed = query.words;
  let open = "";
  const ask = (change: Partial<LogQuery>): void => {
    const next = { ...tail.query(), ...change };
    const words = next.words.trim();
    history.replaceState(null, "", words ? logPath(words) : opsPath("log"));
    tail.ask(next);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    ask({ words: typed });
  };
  const toggle = (recordId: string): void => {
    open = open === recordId ? "" : recordId;
    tail.hold(true);
  };
  const row: RowActions = { isOpen: (id) => id === open, toggle, look: (words) => ask({ words }) };

  return {
    render: (services) => {
      // Another one by the address.
      if (tail.query() !== query) typed = tail.query().words;
      query = tail.query();
      return html`
      <section class="panel log-panel" aria-labelledby="log-heading">
        <div class="panel-head">
          <h2 id="log-heading">Central log</h2>
          ${streamNote(tail.state(), "new lines appear automatically")}
        </div>
        <form class="log-form" role="search" aria-label="Log" @submit=${submit}>
          <div class="grow">
            <label for="log-words">Words, order or trace</label>
            <input
              id="log-words"
              type="search"
              autocomplete="off"
              maxlength="200"
              .value=${live(typed)}
              @input=${(event: Event) => {
                typed = (event.target as HTMLInputElement).value;
                // The cross of the field empties it without a submit.
                if (typed === "") ask({ words: "" });
              }}
            />
          </div>
          ${choice("log-service", "Service", tail.query().service, [["", "any"], ...services.map((name) => [name, name] as const)], (service) => ask({ service }))}
          ${choice("log-severity", "Minimum severity", String(tail.query().minSeverity), severities, (value) => ask({ minSeverity: Number(value) as Severity }))}
          <button class="button">Search</button>
        </form>
        ${lines(tail, row)}
      </section>
    `;
    },
  };
}

function lines(tail: LogTail, row: RowActions): TemplateResult {
  const { shown } = tail.lines();
  return html`
    ${holdBar(tail)}
    <div class="log-lines" role="log" aria-live="off" aria-labelledby="log-heading" tabindex="0">
      ${shown.length === 0 ? html`<p class="muted">${emptyNote(tail)}</p>` : nothing}
      <ol>${shown.map((record) => logLine(record, row))}</ol>
      ${shown.length === 0 ? nothing : olderBar(tail)}
    </div>
  `;
}

const severities: readonly (readonly [string, string])[] = [
  [String(Severity.UNSPECIFIED), "any"],
  [String(Severity.INFO), "info"],
  [String(Severity.WARN), "warn"],
  [String(Severity.ERROR), "error"],
];

function choice(
  id: string,
  label: string,
  value: string,
  options: readonly (readonly [string, string])[],
  onChoose: (value: string) => void,
): TemplateResult {
  return html`
    <div>
      <label for=${id}>${label}</label>
      <select id=${id} @change=${(event: Event) => onChoose((event.target as HTMLSelectElement).value)}>
        ${options.map(([key, text]) => html`<option value=${key} ?selected=${key === value}>${text}</option>`)}
      </select>
    </div>
  `;
}

function holdBar(tail: LogTail): TemplateResult {
  const { waitingCount } = tail.lines();
  const waiting = waitingCount > 0 ? `, ${formatCount(waitingCount)} new` : "";
  return html`
    <p class="hold-bar">
      <button type="button" class="button small" aria-pressed=${tail.held() ? "true" : "false"} @click=${() => tail.hold(!tail.held())}>
        Pause
      </button>
      <span class="muted">${tail.held() ? `Paused${waiting}` : "Newest first"}</span>
    </p>
  `;
}

function olderBar(tail: LogTail): TemplateResult {
  const note = tail.olderNote();
  if (note === "end") return html`<p class="muted">No older lines.</p>`;
  const look = (): void => void tail.older().catch(() => {});
  return html`
    <p class="row">
      <button type="button" class="button small" aria-disabled=${note === "loading" ? "true" : nothing} @click=${look}>Show older lines</button>
      <span class="muted" role="status">${note === "loading" ? "Loading…" : note}</span>
    </p>
  `;
}

function emptyNote(tail: LogTail): string {
  if (tail.state() === "connecting") return "Loading…";
  return tail.query().words
    ? "No matching lines. New ones appear here."
    : "No lines yet. New ones appear here.";
}

interface RowActions {
  isOpen(recordId: string): boolean;
  toggle(recordId: string): void;
  look(words: string): void;
}

function logLine(record: LogRecord, actions: RowActions): TemplateResult {
  const { recordId, occurredAt, severity, service, event, message, orderId, traceId } = record;
  const instant = occurredAt && timestampDate(occurredAt).toISOString();
  const isOpen = actions.isOpen(recordId);
  const word = severityWord(severity);
  return html`
    <li class="log-line ${word}" data-event=${event}>
      <button type="button" class="quiet" aria-expanded=${isOpen ? "true" : "false"} @click=${() => actions.toggle(recordId)}>
        <time datetime=${instant ?? nothing}>${formatPreciseClock(instant)}</time>
      </button>
      <span class="severity">${word}</span>
      <span class="service">${service}</span>
      <span class="event">${event}</span>
      <span class="message">${message}</span>
      <span class="found">
        ${orderId ? html`<a href=${opsOrderPath(orderId)} title=${orderId}>…${orderId.slice(-6)}</a>` : nothing}
        ${traceId ? html`<button type="button" class="quiet" title="Lines of trace ${traceId}" @click=${() => actions.look(traceId)}>${traceId.slice(0, 6)}</button>` : nothing}
      </span>
      ${isOpen ? logDetails(record) : nothing}
    </li>
  `;
}

function logDetails({ attributes, orderId, traceId }: LogRecord): TemplateResult {
  const all = { ...(orderId && { orderId }), ...(traceId && { traceId }), ...attributes };
  return html`<pre class="json" tabindex="0">${JSON.stringify(all, undefined, 2)}</pre>`;
}
