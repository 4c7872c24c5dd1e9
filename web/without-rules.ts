import { create, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Plugin } from "vite";

/** Generated modules that hold rules of validation and nothing else, and what each one exports. */
const ruleFiles = [
  {
    module: /\/buf\/validate\/validate_pb(?:\.js)?$/,
    exported: "file_buf_validate_validate",
    name: "buf/validate/validate.proto",
  },
  {
    module: /\/type\/v1\/string_rules_pb(?:\.ts)?$/,
    exported: "file_smartcart_type_v1_string_rules",
    name: "smartcart/type/v1/string_rules.proto",
  },
] as const;

/**
 * Leaves the rules of validation out of the page: a quarter of its code, and the services check them anyway. The contract's
 * descriptors name these files as their imports, so an empty one stands in for each.
 */
export function withoutRules(): Plugin {
  return {
    name: "smartcart:without-rules",
    enforce: "pre",
    resolveId: (source) => {
      const file = ruleFiles.find(({ module }) => module.test(source));
      return file && `\0${file.name}`;
    },
    load: (id) => {
      const file = ruleFiles.find(({ name }) => id === `\0${name}`);
      if (!file) return undefined;
      const { name, exported } = file;
      const descriptor = create(FileDescriptorProtoSchema, { name, syntax: "proto3" });
      const bytes = base64Encode(toBinary(FileDescriptorProtoSchema, descriptor), "std_raw");
      return `import { fileDesc } from "@bufbuild/protobuf/codegenv2";
export const ${exported} = /*@__PURE__*/ fileDesc("${bytes}");`;
    },
  };
}
