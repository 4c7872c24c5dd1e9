import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { FaultSwitch } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import {
  answered,
  asReported,
  refused,
  reported,
  shownValue,
  switchKey,
  turned,
} from "./fault-switch-values.ts";

/** The fault switches of all services. */
export interface FaultSwitchPanel {
  /** Draws the faultSwitches of a snapshot; nothing outside of demo mode. */
  render(faultSwitches: readonly FaultSwitch[]): TemplateResult | typeof nothing;
  /** A snapshot came. */
  report(faultSwitches: readonly FaultSwitch[]): void;
}

export function createFaultSwitchPanel({ shop, ops, access, signal }: Console): FaultSwitchPanel {
  let values = asReported;
  let complaint = "";

  const turn = async (one: FaultSwitch, value: bigint): Promise<void> => {
    const { service, name, title } = one;
    const key = switchKey(one);
    values = turned(values, key, value);
    complaint = "";
    shop.refresh();
    try {
      const answer = await ops.setFaultSwitch(
        { service, name, value },
        { signal, timeoutMs: 6_000 },
      );
      values = answered(values, key, answer.faultSwitch?.value ?? value);
      shop.announce(`${title}: ${valueInWords(one, value)}`);
    } catch (error) {
      if (signal.aborted) return;
      values = refused(values, key);
      complaint = access.isDenied(error) ? "" : `“${title}” was not changed. ${complaintOf(error)}`;
    }
    shop.refresh();
  };
  const drag = (one: FaultSwitch, value: bigint): void => {
    values = turned(values, switchKey(one), value);
    shop.refresh();
  };

  return {
    report(faultSwitches) {
      values = reported(values, faultSwitches);
    },
    render: (faultSwitches) => {
      if (faultSwitches.length === 0) return nothing;
      const services = Map.groupBy(faultSwitches, ({ service }) => service);
      return html`
        <section class="panel fault-switches" aria-labelledby="fault-switches-heading">
          <h2 id="fault-switches-heading">Inject faults</h2>
          <p class="muted">Demo mode: each switch affects the running services until it is off again.</p>
          ${complaint ? html`<p class="field-error" role="alert">${complaint}</p>` : nothing}
          <div class="switch-groups">
            ${[...services].map(
              ([service, own]) => html`
                <fieldset>
                  <legend>${service}</legend>
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
  turn(one: FaultSwitch, value: bigint): Promise<void>;
  drag(one: FaultSwitch, value: bigint): void;
}

function control(one: FaultSwitch, value: bigint, { turn, drag }: Turning): TemplateResult {
  const id = `switch-${one.service}-${one.name}`;
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

function valueInWords({ max, unit }: FaultSwitch, value: bigint): string {
  if (value === 0n) return "off";
  return max <= 1n ? "on" : `${value} ${unit}`.trim();
}
