/** A server, and what it lends. */
export interface Lender extends AsyncDisposable {
  /** So long, in milliseconds, it goes on after the last loan. */
  readonly lingerMs: number;
  lend(): Promise<Loan>;
}

/** What one test gets. */
interface Loan {
  /** Sent to the test as JSON. */
  readonly lent: object;
  takeBack(): Promise<void>;
}
