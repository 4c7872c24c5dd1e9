/**
 * Changes the text of one module while it is loaded: how a mistake is put into the product without touching it. Node strips
 * the types afterwards, so that what is replaced is what stands in the file.
 */
import { registerHooks } from "node:module";

export interface Patch {
  /** Path below the repository: "packages/bus/src/outbox.ts". */
  readonly file: string;
  /** What to find, each just once, and what to put there. */
  readonly replacements: readonly { readonly find: string; readonly replace: string }[];
}

/** To be called before the module is loaded. Loading fails where the text is not there any more: the mutant has to be mended. */
export function patchSource(patch: Patch): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${patch.file}`)) return loaded;
      return { ...loaded, source: applyPatch(patch, textOf(loaded.source)) };
    },
  });
}

/** Throws where something is not found just once. */
export function applyPatch({ file, replacements }: Patch, source: string): string {
  return replacements.reduce((text, { find, replace }) => {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(`mutant of ${file}: found ${parts.length - 1} times, not once: ${find}`);
    }
    return parts.join(replace);
  }, source);
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray | null | undefined): string {
  if (typeof source === "string") return source;
  if (source === null || source === undefined) throw new Error("the module has no source text");
  return new TextDecoder().decode(source);
}
