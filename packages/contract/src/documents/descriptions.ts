/** The comments of the contract as descriptions of its JSON form. */
import type { DescEnum, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { comments } from "@smartcart/gen/comments";

/** What the contract says about a type, method or service; undefined: nothing. In Markdown, fields by their JSON names. */
export function descriptionOf(desc: DescMessage | DescMethod | DescService): string | undefined {
  return inJsonNames(
    comments[desc.kind === "rpc" ? `${desc.parent.typeName}.${desc.name}` : desc.typeName],
  );
}

/** As `descriptionOf`. */
export function descriptionOfField({ parent, name }: DescField): string | undefined {
  return inJsonNames(comments[`${parent.typeName}.${name}`]);
}

/** The comment of the enum and a list of its values. */
export function descriptionOfEnum({ typeName, values }: DescEnum): string {
  const lines = values.map(({ name }) => {
    const text = inJsonNames(comments[`${typeName}.${name}`]);
    return text === undefined ? `- \`${name}\`` : `- \`${name}\`: ${text.replaceAll("\n\n", " ")}`;
  });
  return [inJsonNames(comments[typeName]), lines.join("\n")].filter(Boolean).join("\n\n");
}

/** "`order_id`" as "`orderId`". */
function inJsonNames(comment: string | undefined): string | undefined {
  return comment?.replace(/`[a-z0-9]+(?:_[a-z0-9]+)+`/g, (name) =>
    name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}
