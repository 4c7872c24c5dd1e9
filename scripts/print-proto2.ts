/**
 * Prints a proto2 file descriptor as `.proto` source: messages, fields, oneofs, enums, extensions and
 * reserved or extension ranges. Options on fields and comments are left out, since a compiler that only needs the
 * shape does not need them. Source: the language specification at protobuf.dev/reference/protobuf/proto2-spec.
 */
import type {
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type } from "@bufbuild/protobuf/wkt";

const maxFieldNumber = 536_870_911;

export function printProto2(file: FileDescriptorProto): string {
  const lines = ['syntax = "proto2";', "", `package ${file.package};`, ""];
  for (const dependency of file.dependency) lines.push(`import "${dependency}";`);
  lines.push("");
  for (const extension of file.extension) {
    lines.push(`extend ${typeName(extension.extendee)} {`, `  ${field(extension)}`, "}", "");
  }
  for (const message of file.messageType) lines.push(...printMessage(message, ""), "");
  for (const enumeration of file.enumType) lines.push(...printEnum(enumeration, ""), "");
  return `${lines.join("\n").trimEnd()}\n`;
}

function printMessage(message: DescriptorProto, indent: string): string[] {
  const inner = `${indent}  `;
  const lines = [`${indent}message ${message.name} {`];
  for (const range of message.reservedRange) {
    const last = range.end - 1;
    lines.push(`${inner}reserved ${range.start === last ? last : `${range.start} to ${last}`};`);
  }
  if (message.reservedName.length > 0) {
    lines.push(`${inner}reserved ${message.reservedName.map((name) => `"${name}"`).join(", ")};`);
  }
  for (const nested of message.nestedType) lines.push(...printMessage(nested, inner));
  for (const enumeration of message.enumType) lines.push(...printEnum(enumeration, inner));
  for (const member of message.field) {
    if (!hasOneof(member)) lines.push(`${inner}${field(member)}`);
  }
  message.oneofDecl.forEach((oneof, index) => {
    lines.push(`${inner}oneof ${oneof.name} {`);
    for (const member of message.field) {
      if (hasOneof(member) && member.oneofIndex === index) {
        lines.push(`${inner}  ${fieldType(member)} ${member.name} = ${member.number};`);
      }
    }
    lines.push(`${inner}}`);
  });
  for (const range of message.extensionRange) {
    const end = range.end - 1 >= maxFieldNumber ? "max" : range.end - 1;
    lines.push(`${inner}extensions ${range.start} to ${end};`);
  }
  lines.push(`${indent}}`);
  return lines;
}

function printEnum(enumeration: EnumDescriptorProto, indent: string): string[] {
  return [
    `${indent}enum ${enumeration.name} {`,
    ...enumeration.value.map((value) => `${indent}  ${value.name} = ${value.number};`),
    `${indent}}`,
  ];
}

function field(member: FieldDescriptorProto): string {
  return `${label(member)} ${fieldType(member)} ${member.name} = ${member.number};`;
}

// In a descriptor, index 0 and "no oneof" differ only by presence.
function hasOneof(member: FieldDescriptorProto): boolean {
  return Object.hasOwn(member, "oneofIndex");
}

function label(member: FieldDescriptorProto): string {
  switch (member.label) {
    case FieldDescriptorProto_Label.REPEATED:
      return "repeated";
    case FieldDescriptorProto_Label.REQUIRED:
      return "required";
    default:
      return "optional";
  }
}

function fieldType(member: FieldDescriptorProto): string {
  if (member.typeName !== "") return typeName(member.typeName);
  return FieldDescriptorProto_Type[member.type].toLowerCase();
}

function typeName(name: string): string {
  return name.replace(/^\./, "");
}
