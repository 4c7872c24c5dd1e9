import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { MeshSnapshot, QueueState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatCount, formatMs, formatRate } from "../ui/numbers.ts";

/** How deep the queues are. */
export function queuePanel({ queues }: MeshSnapshot): TemplateResult {
  const deepest = Math.max(10, ...queues.map(({ waiting }) => Number(waiting)));
  return html`
    <section class="panel" aria-labelledby="queues-heading">
      <h2 id="queues-heading">Queues</h2>
      <div class="scroller" tabindex="0" role="region" aria-labelledby="queues-heading">
        <table class="queues">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              <th scope="col" class="number">Consumers</th>
              <th scope="col" class="number">Handled</th>
              <th scope="col" class="number">Waiting</th>
              <th scope="col" class="number">Oldest</th>
              <th scope="col" class="number" title="At the present rate">Wait</th>
              <th scope="col" class="number">Retrying</th>
              <th scope="col" class="number">Dead letters</th>
            </tr>
          </thead>
          <tbody>${queues.map((queue) => queueRow(queue, deepest))}</tbody>
        </table>
      </div>
    </section>
  `;
}

function queueRow(
  { queue, waiting, retrying, deadLetters, consumers, handledPerSecond, oldestMs }: QueueState,
  deepest: number,
): TemplateResult {
  return html`
    <tr data-queue=${queue}>
      <th scope="row">
        ${queue}
        <meter aria-hidden="true" min="0" max=${deepest} .value=${Number(waiting)}></meter>
      </th>
      <td class="number ${consumers === 0 ? "bad" : ""}" data-consumers=${consumers}>${formatCount(consumers)}</td>
      <td class="number">${formatRate(handledPerSecond)}</td>
      <td class="number">${formatCount(waiting)}</td>
      <td class="number" data-oldest>${ageOf(waiting, oldestMs)}</td>
      <td class="number">${waitOf(waiting, handledPerSecond)}</td>
      <td class="number ${retrying > 0n ? "warn" : ""}">${formatCount(retrying)}</td>
      <td class="number ${deadLetters > 0n ? "bad" : ""}" data-dead=${String(deadLetters)}>${formatCount(deadLetters)}</td>
    </tr>
  `;
}

/** How long the oldest message has waited. RabbitMQ does not tell. */
function ageOf(waiting: bigint, oldestMs: bigint | undefined): string {
  if (waiting === 0n) return "–";
  return oldestMs === undefined ? "unknown" : formatMs(Number(oldestMs));
}

/** How long a message that arrives now waits, if the queue goes on as it does. */
function waitOf(waiting: bigint, handledPerSecond: number): string {
  if (waiting === 0n) return "–";
  if (handledPerSecond < 0.05) return "stands still";
  return formatMs((1_000 * Number(waiting)) / handledPerSecond);
}
