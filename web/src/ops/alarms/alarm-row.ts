import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { Alarm } from "./alarms.ts";
import { countAlarms } from "./alarms.ts";

/** The alarms as a row of links, at the head of every page of the console. */
export function alarmRow(alarms: readonly Alarm[]): TemplateResult {
  return html`
    <ul class="alarms" aria-label="Alarms" data-alarms=${countAlarms(alarms)}>
      ${alarms.map(
        ({ name, value, note, tone, href }) => html`
          <li>
            <a class="alarm ${tone}" href=${href} data-alarm=${name} data-tone=${tone}>
              <span class="alarm-name">${name}</span>
              <strong>${value}</strong>
              <span class="alarm-note" title=${note}>${note}</span>
            </a>
          </li>
        `,
      )}
    </ul>
  `;
}

/** Changes the icon of the tab while there are alarms. Returns their number as the prefix of its title. */
export function showInTab(alarms: readonly Alarm[]): string {
  const count = countAlarms(alarms);
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const href = count > 0 ? "/favicon-alarm.svg" : "/favicon.svg";
  if (icon && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  return count > 0 ? `(${count}) ` : "";
}
