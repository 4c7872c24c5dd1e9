import type { DescExtension } from "@bufbuild/protobuf";
import { clearExtension, createRegistry, getOption, hasExtension } from "@bufbuild/protobuf";
import type { Rule, StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { predefined } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { file_smartcart_type_v1_string_rules } from "@smartcart/gen/type/v1/string_rules_pb";

/** The predefined rules of the contract. protovalidate rejects messages whose rules it does not find here. */
export const predefinedRules = createRegistry(file_smartcart_type_v1_string_rules);

/** Replaces each predefined rule that is set by the standard rules it stands for. One that cannot be read stays as it is. */
export function expandStringRules(rules: StringRules): void {
  for (const extension of file_smartcart_type_v1_string_rules.extensions) {
    if (!hasExtension(rules, extension)) continue;
    const set = standardRules(extension);
    if (set === undefined) continue;
    clearExtension(rules, extension);
    Object.assign(rules, set);
  }
}

type StandardRules = Partial<Pick<StringRules, "minLen" | "maxLen" | "pattern">>;

/** Undefined where an expression is none of the three that JSON Schema has a word for. */
function standardRules(extension: DescExtension): StandardRules | undefined {
  const all = getOption(extension, predefined).cel.map(standardRule);
  return all.every((rule) => rule !== undefined) ? Object.assign({}, ...all) : undefined;
}

const size = /^!rule \|\| this\.size\(\) (>=|<=) (\d+)$/;
const pattern = /^!rule \|\| this\.matches\(r'([^']*)'\)$/;

function standardRule({ expression }: Rule): StandardRules | undefined {
  const [, operator, bound] = size.exec(expression) ?? [];
  if (bound !== undefined) {
    return operator === ">=" ? { minLen: BigInt(bound) } : { maxLen: BigInt(bound) };
  }
  const matched = pattern.exec(expression)?.[1];
  return matched === undefined ? undefined : { pattern: matched };
}
