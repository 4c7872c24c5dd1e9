/** Reads every module of the repository with dependency-cruiser and holds the rules of the layers against it. */
import { globSync } from "node:fs";
import { registerHooks } from "node:module";
import type { ICruiseResult } from "dependency-cruiser";
import { rules } from "./rules.ts";

/** What a reading of the repository found. */
export interface LayerReport {
  /** Modules of ours that were read. */
  readonly modulesRead: number;
  /** Source files on disk that were not read: a report with any of these proves nothing. */
  readonly filesMissed: readonly string[];
  /** Imports that break a rule, in the order of the files. */
  readonly violations: readonly LayerViolation[];
}

/** One import that breaks one rule. */
export interface LayerViolation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

const folders = ["gen", "packages", "scripts", "web"];
/** Not ours to judge: built files, and the modules that break the rules on purpose. */
const excluded = ["(^|/)dist/", "^web/dist-", "^scripts/layers/fixture/"];

/** Reads the repository (or a copy of its shape) below `root`, which must have its node_modules. */
export async function cruiseLayers(root: string): Promise<LayerReport> {
  const cruise = await loadCruiser();
  const { output } = await cruise(folders, {
    baseDir: root,
    ruleSet: { forbidden: [...rules] },
    validate: true,
    doNotFollow: { path: "(^|/)node_modules/" },
    exclude: { path: excluded },
    // Types count too: a type from a higher layer is knowledge of it.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["node", "import", "types", "default"],
    },
  });
  const { modules, summary } = output as ICruiseResult;
  const read = new Set(modules.map((module) => module.source));
  const why = new Map(rules.map((rule) => [rule.name, rule.comment ?? ""]));
  return {
    modulesRead: modules.filter((module) => isOurs(module.source)).length,
    filesMissed: sourceFiles(root).filter((file) => !read.has(file)),
    violations: summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
      why: why.get(rule.name) ?? "",
    })),
  };
}

function sourceFiles(root: string): string[] {
  const files = globSync("{gen,packages,scripts,web}/**/*.ts", {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist|dist-\d+|fixture)$/.test(path),
  });
  return files.filter(isOurs).sort();
}

function isOurs(path: string): boolean {
  return ![...excluded, "(^|/)node_modules/"].some((pattern) => new RegExp(pattern).test(path));
}

/**
 * dependency-cruiser looks for a package named `typescript` and uses its compiler API. TypeScript 7 has none, and
 * then the cruiser reads no .ts file and still reports success. So it, and it alone, gets TypeScript 6.
 */
async function loadCruiser() {
  registerHooks({
    resolve(specifier, context, next) {
      const asked = /^typescript(?=$|\/)/.test(specifier);
      const byCruiser = context.parentURL?.includes("/node_modules/dependency-cruiser/") ?? false;
      return next(
        asked && byCruiser ? specifier.replace("typescript", "typescript6") : specifier,
        context,
      );
    },
  });
  return (await import("dependency-cruiser")).cruise;
}
