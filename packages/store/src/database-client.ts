import pg from "pg";

/**
 * The driver's client, with start-up parameters from its URL alone. PGOPTIONS of a shell is meant for psql: it would make a
 * session read-only, or a commit less durable, without anybody asking SmartCart for it.
 */
export class DatabaseClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const [, query] = config?.connectionString?.split("?") ?? [];
    const { connectionParameters } = this as unknown as {
      connectionParameters: { options: string | undefined; replication: string | undefined };
    };
    connectionParameters.options = new URLSearchParams(query).get("options") ?? undefined;
    connectionParameters.replication = undefined;
  }
}
