/** Parsers of option values. Each throws commander's InvalidArgumentError, whose message ends the sentence about the option. */
import { InvalidArgumentError } from "commander";

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
