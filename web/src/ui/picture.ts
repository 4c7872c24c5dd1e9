/** What a picture is made of. */
interface Pictured {
  readonly emoji: string;
  readonly name: string;
}

let emojiDrawn: boolean | undefined;

/** A product's emoji; where the browser has no font for emoji and would draw empty boxes, its initial. */
export function pictureOf(product: Pictured | undefined): string {
  if (!product) return "";
  emojiDrawn ??= drawsEmoji();
  return emojiDrawn ? product.emoji : product.name.charAt(0);
}

/** Draws an emoji in pure red: only a colour font puts other colours there. */
function drawsEmoji(): boolean {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!context) return true;
  context.fillStyle = "#f00";
  context.font = "16px sans-serif";
  context.textBaseline = "top";
  context.fillText("🍵", 0, 0);
  const pixels = context.getImageData(0, 0, 16, 16).data;
  return pixels.some((value, index) => index % 4 !== 0 && index % 4 !== 3 && value > 0);
}
