/** What the simulated provider does with a charge. */
export type TokenPlan =
  | { readonly kind: "capture"; readonly firstAnswer: "prompt" | "slow" | "lost" }
  | { readonly kind: "decline"; readonly declineCode: string }
  | { readonly kind: "fail"; readonly declineCode: string };

const plans: Readonly<Record<string, TokenPlan>> = {
  "": { kind: "capture", firstAnswer: "prompt" },
  tok_visa: { kind: "capture", firstAnswer: "prompt" },
  tok_slow: { kind: "capture", firstAnswer: "slow" },
  tok_timeout: { kind: "capture", firstAnswer: "lost" },
  tok_declined: { kind: "decline", declineCode: "card_declined" },
  tok_insufficient_funds: { kind: "decline", declineCode: "insufficient_funds" },
  tok_error: { kind: "fail", declineCode: "provider_error" },
};

/** Reads the plan from a token; any unknown one is declined as "invalid_token". */
export function planOf(token: string): TokenPlan {
  return Object.hasOwn(plans, token)
    ? (plans[token] as TokenPlan)
    : { kind: "decline", declineCode: "invalid_token" };
}
