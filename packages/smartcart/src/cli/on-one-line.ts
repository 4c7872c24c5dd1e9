/** What strangers wrote, for a line on a terminal: it must neither break the line nor command the terminal. */
export function onOneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[\x7f-\x9f]$/, "\ufffd"),
  );
}
