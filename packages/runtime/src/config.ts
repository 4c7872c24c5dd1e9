import type { OptionalValidatorSpec, RequiredValidatorSpec } from "envalid";
import { customCleanEnv, EnvMissingError } from "envalid";
import { onOneLine } from "./on-one-line.ts";
import { withDerivedPorts } from "./port-base.ts";

/** The values of a set of specs: a spec with `default: undefined` may be undefined. */
export type CleanedEnv<S> = {
  readonly [K in keyof S]: S[K] extends OptionalValidatorSpec<infer U>
    ? U | undefined
    : S[K] extends RequiredValidatorSpec<infer U>
      ? U
      : never;
};

/** One variable with an invalid value. `problem` says what is wrong and what to do. */
interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
}

/** Some variables are invalid. The message has one line for each of them. */
export class ConfigError extends Error {
  readonly code = "BAD_CONFIG";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map((p) => `${p.variable}: ${p.problem}`).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Reads the variables named in `specs`; all others are left alone. An empty or blank variable counts as unset,
 * because that is how compose files and CI systems say "not set"; ports and URLs that are not set may follow from others
 * (`withDerivedPorts`). Returns a frozen plain object.
 *
 * Throws ConfigError with every bad variable, not only the first.
 */
export function parseConfig<const S extends object>(
  env: NodeJS.ProcessEnv,
  specs: S,
): CleanedEnv<S> {
  const given = Object.entries(withDerivedPorts(env)).filter(([, value]) => value?.trim());
  // NODE_ENV would switch on envalid's devDefault and testDefault: a process must not change with its environment's name.
  const { NODE_ENV: _ignored, ...rest } = Object.fromEntries(given);
  const cleaned = customCleanEnv(rest, specs, (values) => values, {
    reporter: ({ errors }) => {
      const problems = Object.entries(errors).map(([variable, error]) => ({
        variable,
        problem: shortened(onOneLine(describe(error as Error))),
      }));
      if (problems.length > 0) throw new ConfigError(problems);
    },
  });
  return Object.freeze(followTls(cleaned, rest)) as CleanedEnv<S>;
}

/** Where services listen with TLS, the default URLs of services begin with https. */
function followTls(cleaned: object, given: NodeJS.ProcessEnv): object {
  const values: Record<string, unknown> = { ...cleaned };
  if ((values.TLS_CERT ?? values.MESH_TLS_CERT) === undefined) return values;
  for (const [name, value] of Object.entries(values)) {
    if (!name.endsWith("_URL") || given[name] !== undefined) continue;
    values[name] = typeof value === "string" ? value.replace(/^http:/, "https:") : value;
  }
  return values;
}

/** A value may be as long as the system allows. */
const maxProblemLength = 500;

function shortened(text: string): string {
  if (text.length <= maxProblemLength) return text;
  const half = maxProblemLength / 2;
  return `${text.slice(0, half)}…${text.slice(-half)}`.toWellFormed();
}

function describe(error: Error): string {
  if (error instanceof EnvMissingError) {
    const purpose = error.message.replace(/^undefined/, "").trim();
    return purpose ? `is not set: ${purpose}` : "is not set; give it a value";
  }
  const choice = /^Value "(.*)" not in choices \[(.*)\]$/s.exec(error.message);
  if (!choice) return error.message;
  return `"${choice[1]}" must be one of ${choice[2]?.replaceAll(",", ", ")}`;
}
