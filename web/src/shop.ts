import type { TemplateResult } from "lit-html";
import type { Basket } from "./basket/basket.ts";
import type { Catalogue } from "./catalogue/catalogue.ts";
import type { Attempt } from "./checkout/attempt.ts";
import type { Submission } from "./checkout/submission.ts";
import type { Observable } from "./observable.ts";
import type { Route } from "./route.ts";
import type { Session } from "./session/session.ts";
import type { Stored } from "./storage.ts";

/** The customer, stored by the browser. */
export interface Customer {
  readonly userId: string;
  readonly address: string;
}

/** What all views share. */
export interface Shop {
  readonly catalogue: Catalogue;
  readonly basket: Stored<Basket>;
  readonly customer: Observable<Customer>;
  /** The sign-in; every call to the shop carries its token. */
  readonly session: Session;
  /** The last order that was sent, shared by all tabs. */
  readonly attempt: Observable<Attempt | undefined>;
  readonly submission: Submission;
  /** Whether the browser has a network. */
  readonly online: Observable<boolean>;
  /** Goes to a path of the site, as a link would. */
  navigate(path: string): void;
  /** Announces a text to screen readers. */
  announce(text: string): void;
  /** Shows a change of a view's own state, at most once a frame. */
  refresh(): void;
  /** Moves the focus to the first element that matches, after the next refresh. */
  focus(selector: string): void;
}

/** The content of the page's main element. */
export interface View {
  /** For the tab and the history. */
  readonly title: string;
  /** What a search engine shows of the page. Default: nothing. */
  readonly description?: string;
  render(): TemplateResult;
  /** Goes to another of its own paths; false where that belongs to another view. Default: it has one path. */
  moveTo?(route: Route): boolean;
  /** Ends whatever the view began. */
  close(): void;
}

/** Reads a stored customer; empty fields for anything that does not fit. */
export function parseCustomer(text: string | null): Customer {
  try {
    const { userId, address } = JSON.parse(text ?? "{}") as Record<string, unknown>;
    return {
      userId: typeof userId === "string" ? userId : "",
      address: typeof address === "string" ? address : "",
    };
  } catch {
    return { userId: "", address: "" };
  }
}
