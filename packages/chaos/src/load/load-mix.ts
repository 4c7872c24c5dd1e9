/** What customers order and how they pay, by seed. */
import type { Random } from "../random.ts";
import type { OrderWish } from "./shopper.ts";

/** What the customers do, in shares of 0 to 1. */
export interface LoadMix {
  /** Payment tokens with their weights. */
  readonly tokens: Readonly<Record<string, number>>;
  /** Products that never run out, and those that do. */
  readonly wellStocked: readonly string[];
  readonly scarce: readonly string[];
  /** Orders with a line of something scarce. */
  readonly scarceShare: number;
  /** Confirmed orders that are cancelled again. */
  readonly cancelShare: number;
  /** Answered orders whose request is sent once more. */
  readonly replayShare: number;
  /** Orders that are watched over the WebSocket. */
  readonly watchShare: number;
}

/** The mix of `npm run chaos`: about a tenth of the payments fail or are slow, and a tenth of the orders has a scarce product. */
export const usualMix: LoadMix = {
  tokens: {
    tok_visa: 80,
    tok_declined: 5,
    tok_insufficient_funds: 2,
    tok_timeout: 5,
    tok_error: 4,
    tok_slow: 4,
  },
  wellStocked: [
    "espresso-beans",
    "filter-beans",
    "paper-filters",
    "ceramic-mug",
    "dotted-notebook",
  ],
  scarce: ["copper-moka-pot", "monstera-plant", "fountain-pen", "chef-knife"],
  scarceShare: 0.1,
  cancelShare: 0.06,
  replayShare: 0.1,
  watchShare: 0.08,
};

/** Every payment succeeds and stock never runs out: a rejected order is a fault of the product. */
export const solventMix: LoadMix = {
  ...usualMix,
  tokens: { tok_visa: 1 },
  scarce: [],
  scarceShare: 0,
};

/** What the customer of this number wants, by the mix. */
export function createWish(index: number, random: Random, mix: LoadMix): OrderWish {
  const products = random.shuffle(mix.wellStocked).slice(0, random.int(1, 3));
  if (mix.scarce.length > 0 && random.chance(mix.scarceShare)) {
    products[0] = random.pick(mix.scarce);
  }
  return {
    key: `chaos-${index}-${random.int(0, 2 ** 31)}`,
    body: {
      userId: `customer-${index % 100}`,
      items: products.map((productId) => ({ productId, quantity: random.int(1, 3) })),
      address: `${index} Harbour Road`,
      paymentToken: pickToken(random, mix.tokens),
    },
  };
}

function pickToken(random: Random, tokens: Readonly<Record<string, number>>): string {
  const entries = Object.entries(tokens);
  let left = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [token, weight] of entries) {
    left -= weight;
    if (left < 0) return token;
  }
  return "tok_visa";
}
