/** Rules of product fields that the contract cannot state. */
import type { FieldViolation } from "@smartcart/contract";
import { isCurrency } from "./amount.ts";
import type { ProductEdit } from "./catalogue.ts";

const graphemes = new Intl.Segmenter();

/** What is wrong with a symbol; undefined: nothing. */
export function emojiProblem(emoji: string): string | undefined {
  if (emoji === "") return undefined;
  const isOne =
    [...graphemes.segment(emoji)].length === 1 && /\p{Extended_Pictographic}|\p{RI}/u.test(emoji);
  return isOne && emoji.length <= 32 ? undefined : "must be a single emoji, or empty";
}

/** What is wrong with the address of a picture; undefined: nothing. */
export function pictureUrlProblem(url: string): string | undefined {
  if (url === "" || /^\/pictures\/[A-Za-z0-9._-]+$/.test(url)) return undefined;
  const isGood = url.length <= 2_000 && /^https:\/\/[^\s\\]+$/.test(url) && URL.canParse(url);
  return isGood
    ? undefined
    : 'must be an HTTPS URL of at most 2,000 characters, a path such as "/pictures/mug.png", or empty';
}

/** What is wrong with an edit, by fields of the request. */
export function editViolations(edit: ProductEdit): FieldViolation[] {
  const { emoji = "", pictureUrl = "", currencyCode } = edit;
  const problems: [string, string | undefined][] = [
    ["emoji", emojiProblem(emoji)],
    ["pictureUrl", pictureUrlProblem(pictureUrl)],
    [
      "price.currencyCode",
      currencyCode === undefined || isCurrency(currencyCode)
        ? undefined
        : `"${currencyCode}" is not a currency code of ISO 4217, such as USD`,
    ],
  ];
  return problems.flatMap(([field, message]) =>
    message === undefined ? [] : [{ field, message }],
  );
}
