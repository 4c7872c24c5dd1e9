import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { Switch } from "@smartcart/gen/ops/v1/part_report_pb";
import type { Desk } from "../desk.ts";
import { complaintOf } from "../desk-access.ts";
import {
  answered,
  asReported,
  refused,
  reported,
  shownValue,
  switchKey,
  turned,
} from "./switch-values.ts";

/** What can be broken on purpose. */
export interface SwitchPanel {
  /** Draws the switches of a snapshot; nothing outside of demo mode. */
  render(switches: readonly Switch[]): TemplateResult | typeof nothing;
  /** A snapshot came. */
  report(switches: readonly Switch[]): void;
}

export function createSwitchPanel({ shop, ops, access, signal }: Desk): SwitchPanel {
  let values = asReported;
  let complaint = "";

  const turn = async (one: Switch, value: bigint): Promise<void> => {
    const { part, name, title } = one;
    const key = switchKey(one);
    values = turned(values, key, value);
    complaint = "";
    shop.refresh();
    try {
      const answer = await ops.setSwitch({ part, name, value }, { signal, timeoutMs: 6_000 });
      values = answered(values, key, answer.switch?.value ?? value);
      shop.announce(`${title}: ${valueInWords(one, value)}`);
    } catch (error) {
      if (signal.aborted) return;
      values = refused(values, key);
      complaint = access.isDenied(error) ? "" : `“${title}” was not changed. ${complaintOf(error)}`;
    }
    shop.refresh();
  };
  const drag = (one: Switch, value: bigint): void => {
    values = turned(values, switchKey(one), value);
    shop.refresh();
  };

  return {
    report(switches) {
      values = reported(values, switches);
    },
    render: (switches) => {
      if (switches.length === 0) return nothing;
      const parts = Map.groupBy(switches, ({ part }) => part);
      return html`
        <section class="panel switches" aria-labelledby="switches-heading">
          <h2 id="switches-heading">Break something</h2>
          <p class="muted">Demo mode: each of these acts on the running parts, and turns back.</p>
          ${complaint ? html`<p class="field-error" role="alert">${complaint}</p>` : nothing}
          <div class="switch-groups">
            ${[...parts].map(
              ([part, own]) => html`
                <fieldset>
                  <legend>${part}</legend>
                  ${own.map((one) => control(one, shownValue(values, one), { turn, drag }))}
                </fieldset>
              `,
            )}
          </div>
        </section>
      `;
    },
  };
}

interface Turning {
  turn(one: Switch, value: bigint): Promise<void>;
  drag(one: Switch, value: bigint): void;
}

function control(one: Switch, value: bigint, { turn, drag }: Turning): TemplateResult {
  const id = `switch-${one.part}-${one.name}`;
  const numberOf = (event: Event): bigint => BigInt((event.target as HTMLInputElement).value);
  if (one.max <= 1n) {
    const flip = (event: Event): void =>
      void turn(one, (event.target as HTMLInputElement).checked ? 1n : 0n);
    return html`
      <label class="switch ${value > 0n ? "on" : ""}" for=${id} data-switch=${switchKey(one)}>
        <input id=${id} type="checkbox" role="switch" .checked=${live(value > 0n)} @change=${flip} />
        <span>${one.title}</span>
      </label>
    `;
  }
  return html`
    <div class="slider ${value > 0n ? "on" : ""}" data-switch=${switchKey(one)}>
      <label for=${id}>${one.title}</label>
      <output for=${id}>${valueInWords(one, value)}</output>
      <input
        id=${id}
        type="range"
        min="0"
        max=${String(one.max)}
        .value=${live(String(value))}
        aria-valuetext=${valueInWords(one, value)}
        @input=${(event: Event) => drag(one, numberOf(event))}
        @change=${(event: Event) => void turn(one, numberOf(event))}
      />
    </div>
  `;
}

function valueInWords({ max, unit }: Switch, value: bigint): string {
  if (value === 0n) return "off";
  return max <= 1n ? "on" : `${value} ${unit}`.trim();
}
