// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
const unsafe = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Escapes foreign text for one line on a terminal: characters that break the line, control the terminal or change the direction of the
 * text are written as in JSON: "\u001b".
 */
export function onOneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(unsafe, (character) =>
      character < " "
        ? JSON.stringify(character).slice(1, -1)
        : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}
