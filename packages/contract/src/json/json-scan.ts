/** Where a value stands: names of members and positions in lists. */
export type JsonPath = readonly (string | number)[];

/** A value that `JSON.parse` or `Number` may read wrongly; whether it does depends on its field. */
export interface OddValue {
  readonly path: JsonPath;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** As it is written; a string with its quotes. */
  readonly value: string;
}

/** What `JSON.parse` does not tell of a text. */
export interface JsonScan {
  /** Members whose object has had one of the same name. */
  readonly twice: readonly JsonPath[];
  /** Numbers with a fraction, an exponent or many digits, and strings that begin like a number. */
  readonly odd: readonly OddValue[];
  /** The first value that is nested deeper than `maxDepth`; the scan ends there. */
  readonly tooDeep?: JsonPath;
  /** The first value past `maxValues`; the scan ends there. */
  readonly tooMany?: JsonPath;
}

/** Levels of objects and lists: far more than a message of the contract has, far less than a stack holds. */
const maxDepth = 64;
/** Members and items together. The largest request that the contract allows has fewer (`contract-bounds.test.ts`). */
export const maxValues = 100_000;
/** Whole numbers of so many characters are exact in a double. */
const exactCharacters = 15;

interface Level {
  /** Names so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  /** The name or the position of the value at hand. */
  at: string | number;
}

/** One pass over a text that `JSON.parse` has taken. */
export function scanJson(text: string): JsonScan {
  const levels: Level[] = [];
  let level: Level | undefined;
  const twice: JsonPath[] = [];
  const odd: OddValue[] = [];
  const path = () => levels.map(({ at }) => at);
  let values = 0;
  let nameIsNext = false;

  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === char.quote) {
      const end = endOfString(text, i);
      if (nameIsNext && level?.names !== undefined) {
        level.at = nameIn(text, i, end);
        if (level.names.has(level.at)) {
          twice.push(path());
        }
        level.names.add(level.at);
        nameIsNext = false;
      } else if (beginsLikeNumber(text.charCodeAt(i + 1))) {
        odd.push({ path: path(), start: i, end, value: text.slice(i, end) });
      }
      i = end - 1;
    } else if (c === char.openObject || c === char.openList) {
      if (levels.length === maxDepth) {
        return { twice, odd, tooDeep: path() };
      }
      nameIsNext = c === char.openObject;
      level = { names: nameIsNext ? new Set() : undefined, at: 0 };
      levels.push(level);
      values += 1;
    } else if (c === char.closeObject || c === char.closeList) {
      levels.pop();
      level = levels.at(-1);
      nameIsNext = false;
    } else if (c === char.comma && level !== undefined) {
      nameIsNext = level.names !== undefined;
      if (typeof level.at === "number") {
        level.at += 1;
      }
      values += 1;
    } else if (c === char.minus || isDigit(c)) {
      const end = endOfNumber(text, i);
      if (isOddNumber(text, i, end)) {
        odd.push({ path: path(), start: i, end, value: text.slice(i, end) });
      }
      i = end - 1;
    }
    if (values > maxValues) {
      return { twice, odd, tooMany: path() };
    }
  }
  return { twice, odd };
}

const char = {
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** The offset after the closing quote. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) {
    end = text.indexOf('"', end + 1);
  }
  return end + 1;
}

/** Whether an odd number of backslashes stands before the offset. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === char.backslash) {
    first -= 1;
  }
  return (at - first) % 2 === 1;
}

function nameIn(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes("\\") ? (JSON.parse(text.slice(start, end)) as string) : raw;
}

/** "0x10", "+1", "1.", and "\u0031" as well. */
function beginsLikeNumber(c: number): boolean {
  return (
    isDigit(c) || c === char.plus || c === char.minus || c === char.point || c === char.backslash
  );
}

function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  while (isNumberPart(text.charCodeAt(i))) {
    i += 1;
  }
  return i;
}

function isNumberPart(c: number): boolean {
  return isDigit(c) || c === char.plus || c === char.minus || isFractionPart(c);
}

function isOddNumber(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    if (isFractionPart(text.charCodeAt(i))) {
      return true;
    }
  }
  return end - start > exactCharacters;
}

/** A decimal point, or the `e` of an exponent. */
function isFractionPart(c: number): boolean {
  return c === char.point || c === 0x45 || c === 0x65;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}
