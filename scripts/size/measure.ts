import ts from "typescript6";

/** Longest function and longest file of production code, in lines; longest file of tests. */
export const bounds = { functionLines: 60, fileLines: 300, testFileLines: 600 } as const;

/** A file or a function that is longer than its bound. */
export interface Oversized {
  /** The file, and the function in it: "packages/order/src/service.ts startOrder". */
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly bound: number;
}

/** Whether a file belongs to tests. Their functions have no bound: `describe` takes one. */
function isTest(file: string): boolean {
  return /\.test\.ts$|(^|\/)test\//.test(file);
}

/** What is too long in a TypeScript file. Lines are counted as they stand, with blank ones and comments. */
export function measure(file: string, text: string): readonly Oversized[] {
  const lines = text.trimEnd().split("\n").length;
  const bound = isTest(file) ? bounds.testFileLines : bounds.fileLines;
  const whole = lines > bound ? [{ name: file, line: 1, lines, bound }] : [];
  return isTest(file) ? whole : [...whole, ...longFunctions(file, text)];
}

function longFunctions(file: string, text: string): Oversized[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const found: Oversized[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const line = lineAt(node.getStart());
      const lines = lineAt(node.end) - line + 1;
      const name = `${file} ${nameOf(node)}`;
      const bound = bounds.functionLines;
      if (lines > bound) found.push({ name, line, lines, bound });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Its own name, or that of what it is assigned to. */
function nameOf(node: ts.SignatureDeclaration): string {
  const { parent } = node;
  const isAssigned = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
  return (node.name ?? (isAssigned ? parent.name : undefined))?.getText() ?? "anonymous";
}
