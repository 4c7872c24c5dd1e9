#!/usr/bin/env node
/**
 * A plugin of protoc: writes the comments of our contract into `gen/src/smartcart/comments.ts`, because descriptors have none at run time.
 * `buf generate` runs it (`buf.gen.yaml`), so the check of generated code finds comments that are out of date.
 */
import type { DescFile } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { createEcmaScriptPlugin, getComments, runNodeJs } from "@bufbuild/protoplugin";

runNodeJs(
  createEcmaScriptPlugin({
    name: "protoc-gen-comments",
    version: "v1",
    generateTs({ files, generateFile }) {
      const ours = files.filter(({ proto }) => proto.package.startsWith("smartcart."));
      // One of the inputs is the contract; the others are the protos of third parties.
      if (ours.length === 0) return;
      const file = generateFile("smartcart/comments.ts");
      file.print("// Written by scripts/protoc-gen-comments.ts from the contract. Do not edit.");
      file.print();
      file.print(
        "/** Comments of the contract by full name: of types, fields, enum values, services and methods. */",
      );
      file.print("export const comments: Readonly<Record<string, string>> = {");
      for (const [name, text] of ours.flatMap(commentsOf).toSorted()) {
        file.print(`  ${JSON.stringify(name)}: ${JSON.stringify(text)},`);
      }
      file.print("};");
    },
  }),
);

function commentsOf(file: DescFile): [name: string, text: string][] {
  return [...nestedTypes(file)].flatMap((type) => {
    switch (type.kind) {
      case "message":
        return [type, ...type.fields].flatMap(commentOf);
      case "enum":
        return [type, ...type.values].flatMap(commentOf);
      case "service":
        return [type, ...type.methods].flatMap(commentOf);
      default:
        return [];
    }
  });
}

type Commented = Parameters<typeof getComments>[0];

function commentOf(desc: Commented): [name: string, text: string][] {
  const text = paragraphs(getComments(desc).leading ?? "");
  return text === "" ? [] : [[nameOf(desc), text]];
}

function nameOf(desc: Commented): string {
  if ("typeName" in desc) return desc.typeName;
  return "parent" in desc && desc.parent !== undefined
    ? `${desc.parent.typeName}.${desc.name}`
    : desc.toString();
}

/** Lines of a paragraph joined, as Markdown has them; without the directives of linters. */
function paragraphs(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("buf:lint:"))
    .join("\n")
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replace(/\n(?![-*] )/g, " "))
    .join("\n\n");
}
