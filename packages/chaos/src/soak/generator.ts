/** The targets of attacks: base URLs, and a large file of the page. */
export interface Targets {
  readonly order: string;
  readonly inventory: string;
  readonly page: string;
  readonly hub: string;
  /** Path of the page's largest file. */
  readonly asset: string;
}

/** One kind of connection, opened again and again. */
export interface Generator {
  readonly what: string;
  /** Connections per second; fewer where `atOnce` are open already. */
  readonly perSecond: number;
  readonly atOnce: number;
  /** Opens one, and resolves when it has ended. `turn` counts from 0. */
  run(targets: Targets, turn: number): Promise<void>;
}
