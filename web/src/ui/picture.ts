import type { TemplateResult } from "lit-html";
import { html, nothing, svg } from "lit-html";

/** What a picture shows. */
interface Pictured {
  readonly productId: string;
  /** Default: none, and a tile is drawn. */
  readonly pictureUrl?: string | undefined;
}

/** Colours of the drawn tiles: a class each in shop.css. */
const palettes = 6;

/**
 * The picture of a product, over a tile whose shapes and colours follow from the product's id. The tile shows until the picture is
 * there, and where there is none or it does not come: no font draws it, and the same product looks the same everywhere. For people
 * who see it only: the name stands beside it.
 */
export function pictureOf({ productId, pictureUrl }: Pictured): TemplateResult {
  const random = numbersFrom(productId);
  const palette = random(palettes);
  const shapes = [0, 1, 2].map((index) => shape(index, random));
  return html`
    <span class="tile palette-${palette}" aria-hidden="true">
      <svg viewBox="0 0 96 96" preserveAspectRatio="xMidYMid slice" focusable="false">
        <rect width="96" height="96" class="tile-ground" />
        ${shapes}
      </svg>
      ${
        pictureUrl
          ? html`<img src=${pictureUrl} alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer"
              @load=${(event: Event) => show(event, true)} @error=${(event: Event) => show(event, false)} />`
          : nothing
      }
    </span>
  `;
}

/** A picture that does not come must not cover the tile. */
function show({ target }: Event, isThere: boolean): void {
  (target as HTMLImageElement).classList.toggle("absent", !isThere);
}

function shape(index: number, random: (below: number) => number): TemplateResult {
  const [x, y, size] = [16 + random(64), 16 + random(64), 18 + random(16) - 4 * index];
  const tone = `tile-tone-${index}`;
  switch (random(3)) {
    case 0:
      return svg`<circle class=${tone} cx=${x} cy=${y} r=${size} />`;
    case 1:
      return svg`<rect class=${tone} x=${x - size} y=${y - size} width=${2 * size} height=${2 * size} rx="10"
        transform=${`rotate(${random(90)} ${x} ${y})`} />`;
    default:
      return svg`<path class=${tone} d=${`M${x - size} ${y + size} L${x} ${y - size} L${x + size} ${y + size} Z`} />`;
  }
}

/** The same numbers for the same text (FNV-1a, then a linear congruential generator). */
function numbersFrom(text: string): (below: number) => number {
  let state = 0x811c9dc5;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
