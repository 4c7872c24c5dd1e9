import assert from "node:assert/strict";
import type { CDPSession, Page } from "playwright-core";

/** By WCAG 2.2, 1.4.3, for text of every size. */
const minContrast = 4.5;

/** What a pointer or a keyboard can do to a control. */
const pseudoStates: readonly (readonly string[])[] = [
  [],
  ["hover"],
  ["focus", "focus-visible"],
  ["hover", "active"],
];

const controls = "a, button, input, textarea, select, summary, label";

/** Fails where a text on the page is hard to read, in any state of the controls, in light or in dark. */
export async function assertContrast(page: Page, name: string): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  try {
    await cdp.send("DOM.enable");
    await cdp.send("CSS.enable");
    const faults = new Set<string>();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const isBusy of [false, true]) {
        const idle = await makeBusy(page, isBusy);
        for (const state of pseudoStates) {
          await force(cdp, state);
          const where = `${name}, ${colorScheme}${isBusy ? ", busy" : ""} ${state.join("+")}`;
          for (const fault of await page.evaluate(measure, minContrast)) {
            faults.add(`${fault} (${where})`);
          }
        }
        await idle();
      }
    }
    await force(cdp, []);
    assert.deepEqual([...faults], []);
  } finally {
    await cdp.detach();
  }
}

/** Marks every button as busy; the answer takes that back. */
async function makeBusy(page: Page, isBusy: boolean): Promise<() => Promise<void>> {
  if (!isBusy) return async () => {};
  await page.evaluate(() => {
    for (const button of document.querySelectorAll("button, a.button")) {
      if (button.hasAttribute("aria-disabled")) continue;
      button.setAttribute("aria-disabled", "true");
      button.setAttribute("data-made-busy", "");
    }
  });
  return () =>
    page.evaluate(() => {
      for (const button of document.querySelectorAll("[data-made-busy]")) {
        button.removeAttribute("aria-disabled");
        button.removeAttribute("data-made-busy");
      }
    });
}

async function force(cdp: CDPSession, forcedPseudoClasses: readonly string[]): Promise<void> {
  const { root } = await cdp.send("DOM.getDocument", { depth: 0 });
  const { nodeIds } = await cdp.send("DOM.querySelectorAll", {
    nodeId: root.nodeId,
    selector: controls,
  });
  await Promise.all(
    nodeIds.map((nodeId) =>
      cdp.send("CSS.forcePseudoState", { nodeId, forcedPseudoClasses: [...forcedPseudoClasses] }),
    ),
  );
}

/** Runs in the page: each visible text whose contrast with what is behind it is too low. */
function measure(minimum: number): string[] {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number];
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map<string, Colour>();
  // Whatever the form of a colour: the canvas knows them all.
  const parse = (text: string): Colour => {
    const parsed = known.get(text);
    if (parsed || !context) return parsed ?? [0, 0, 0, 0];
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = context.getImageData(0, 0, 1, 1).data;
    known.set(text, [r, g, b, a / 255]);
    return [r, g, b, a / 255];
  };
  const over = (top: Colour, below: Colour): Colour => {
    const mix = (a: number, b: number) => a * top[3] + b * (1 - top[3]);
    return [mix(top[0], below[0]), mix(top[1], below[1]), mix(top[2], below[2]), 1];
  };
  const backgroundOf = (element: Element | null): Colour => {
    if (!element) return [255, 255, 255, 1];
    const own = parse(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, backgroundOf(element.parentElement));
  };
  const luminance = ([r, g, b]: Colour): number => {
    const linear = [r, g, b].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
  };
  const contrast = (a: Colour, b: Colour): number => {
    const [dark = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const faults: string[] = [];
  for (const element of document.body.querySelectorAll("*")) {
    const isField = element.matches(
      "input:not([type=radio], [type=checkbox], [type=range]), textarea, select",
    );
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent?.trim())
      .join("");
    if (!(text || isField) || element.closest("svg, .visually-hidden, noscript, script, style"))
      continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const background = backgroundOf(element);
    const colours = [getComputedStyle(element).color];
    if (isField) colours.push(getComputedStyle(element, "::placeholder").color);
    for (const colour of colours) {
      const ratio = contrast(over(parse(colour), background), background);
      const name = `${element.tagName.toLowerCase()}.${element.className} "${text.slice(0, 40)}"`;
      if (ratio < minimum) faults.push(`${name} has ${ratio.toFixed(2)}:1`);
    }
  }
  return faults;
}
