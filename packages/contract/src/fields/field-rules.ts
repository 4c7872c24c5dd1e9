import type { DescField } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { field } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** The rules that `buf.validate.field` states for a field; undefined: none. */
export function rulesOf(desc: DescField): FieldRules | undefined {
  return hasOption(desc, field) ? getOption(desc, field) : undefined;
}
