import type { DescField } from "@bufbuild/protobuf";
import { clone, getOption, hasOption } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { FieldRulesSchema, field } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { expandStringRules } from "./string-rules.ts";

/**
 * The rules that `buf.validate.field` states for a field; undefined: none. Predefined rules for strings (`smartcart.type.v1.id`)
 * are replaced by the standard rules that they stand for: `min_len`, `max_len` and `pattern`.
 */
export function rulesOf(desc: DescField): FieldRules | undefined {
  if (!hasOption(desc, field)) return undefined;
  const rules = clone(FieldRulesSchema, getOption(desc, field));
  expand(rules);
  return rules;
}

function expand(rules: FieldRules | undefined): void {
  const { type } = rules ?? {};
  if (type?.case === "string") expandStringRules(type.value);
  if (type?.case === "repeated") expand(type.value.items);
  if (type?.case === "map") {
    expand(type.value.keys);
    expand(type.value.values);
  }
}
