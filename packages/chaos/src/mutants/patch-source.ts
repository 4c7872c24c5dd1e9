/**
 * Changes the text of one module while it is loaded, so that a mutant needs no change of the file. Node strips the types
 * afterwards: a patch matches the TypeScript source.
 */
import { registerHooks } from "node:module";

/** A textual change of one file. */
export interface Patch {
  /** Path below the repository: "packages/bus/src/outbox.ts". */
  readonly file: string;
  /** Texts to find, each exactly once, and their replacements. */
  readonly replacements: readonly { readonly find: string; readonly replace: string }[];
}

/** Call it before the module is loaded. Loading fails if the text has changed: then the patch must be adapted. */
export function patchSource(patch: Patch): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${patch.file}`)) return loaded;
      return { ...loaded, source: applyPatch(patch, textOf(loaded.source)) };
    },
  });
}

/** Throws where a text is not found exactly once. */
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
