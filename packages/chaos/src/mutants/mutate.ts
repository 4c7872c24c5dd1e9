/** Loaded before a service as `mutate.ts?copies-count`, it applies that mutant's patch to the process. */
import { patchSource } from "./patch-source.ts";
import type { MutantName } from "./patches.ts";
import { patches } from "./patches.ts";

const name = new URL(import.meta.url).search.slice(1);
if (!Object.hasOwn(patches, name)) throw new Error(`there is no mutant "${name}"`);
patchSource(patches[name as MutantName]);
