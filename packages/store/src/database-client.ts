import pg from "pg";

/**
 * The driver's client, with start-up parameters from its URL alone. PGOPTIONS of a shell is ignored: meant for psql, it could make
 * SmartCart's sessions read-only or its commits less durable.
 */
export class DatabaseClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    // the socket would throw in the middle of `connect`, and its time-out then end the process
    if (!(this.port > 0 && this.port < 65_536)) {
      throw new RangeError(`the port ${this.port} is none; it must be from 1 to 65535`);
    }
    const [, query] = config?.connectionString?.split("?") ?? [];
    const { connectionParameters } = this as unknown as {
      connectionParameters: { options: string | undefined; replication: string | undefined };
    };
    connectionParameters.options = new URLSearchParams(query).get("options") ?? undefined;
    connectionParameters.replication = undefined;
  }
}
