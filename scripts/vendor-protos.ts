/**
 * Writes `third_party/` from npm packages: the `.proto` files of others that the contract imports.
 * There is no network and no schema registry in the build, so they are committed, and this script
 * says where each one came from. Run it after raising one of the packages: `npm run vendor-protos`.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { printProto2 } from "./print-proto2.ts";

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, "..");
const thirdParty = join(root, "third_party");
const packageRoot = (name: string) => dirname(require.resolve(`${name}/package.json`));

const googleapis = packageRoot("google-proto-files");
const health = packageRoot("grpc-health-check");
const reflection = packageRoot("@grpc/reflection");

const copies: ReadonlyArray<readonly [from: string, to: string]> = [
  [join(googleapis, "google/api/annotations.proto"), "googleapis/google/api/annotations.proto"],
  [join(googleapis, "google/api/http.proto"), "googleapis/google/api/http.proto"],
  [join(googleapis, "google/rpc/error_details.proto"), "googleapis/google/rpc/error_details.proto"],
  [join(googleapis, "LICENSE"), "googleapis/LICENSE"],
  [join(health, "proto/health/v1/health.proto"), "grpc/grpc/health/v1/health.proto"],
  [
    join(reflection, "build/proto/grpc/reflection/v1/reflection.proto"),
    "grpc/grpc/reflection/v1/reflection.proto",
  ],
  [
    join(reflection, "build/proto/grpc/reflection/v1alpha/reflection.proto"),
    "grpc/grpc/reflection/v1alpha/reflection.proto",
  ],
  [join(reflection, "LICENSE"), "grpc/LICENSE"],
];

rmSync(thirdParty, { recursive: true, force: true });
for (const [from, to] of copies) {
  const target = join(thirdParty, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(from, target);
}

// The npm package of protovalidate ships generated code but no `.proto`; its descriptor is the source.
const validate = join(thirdParty, "protovalidate/buf/validate/validate.proto");
mkdirSync(dirname(validate), { recursive: true });
writeFileSync(
  validate,
  `// Copyright 2023-2026 Buf Technologies, Inc.
//
// Licensed under the Apache License, Version 2.0 (the "License");
// you may not use this file except in compliance with the License.
// You may obtain a copy of the License at
//
//      http://www.apache.org/licenses/LICENSE-2.0
//
// Unless required by applicable law or agreed to in writing, software
// distributed under the License is distributed on an "AS IS" BASIS,
// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
// See the License for the specific language governing permissions and
// limitations under the License.
//
// Changed from the original: printed from the descriptor in the npm package @bufbuild/protovalidate
// by scripts/vendor-protos.ts, without comments and without the options on its fields.

${printProto2(file_buf_validate_validate.proto)}`,
);
cpSync(join(googleapis, "LICENSE"), join(thirdParty, "protovalidate/LICENSE"));

const version = (name: string) =>
  (JSON.parse(readFileSync(join(packageRoot(name), "package.json"), "utf8")) as { version: string })
    .version;
writeFileSync(
  join(thirdParty, "README.md"),
  `# Protos of others

Written by \`npm run vendor-protos\`; never edited by hand. Each folder keeps its licence (Apache-2.0).

| folder | from the npm package |
|---|---|
| \`googleapis\` | \`google-proto-files\` ${version("google-proto-files")} |
| \`grpc\` | \`grpc-health-check\` ${version("grpc-health-check")}, \`@grpc/reflection\` ${version("@grpc/reflection")} |
| \`protovalidate\` | \`@bufbuild/protovalidate\` ${JSON.parse(readFileSync(join(root, "node_modules/@bufbuild/protovalidate/package.json"), "utf8")).version}, printed from its descriptor |
`,
);
