/** Rows that a statement takes as one parameter: `from json_to_recordset($1) as step(order_id text, sequence int)`. */

/** The JavaScript type of a column's value. Each may be null. */
interface ColumnTypes {
  text: string;
  int: number;
  boolean: boolean;
  /** As text: a JavaScript number does not hold all of them. */
  bigint: string;
  timestamptz: Date;
  /** Any JSON value; it is stored as JSON, not as text. */
  jsonb: unknown;
  /** As {@link hex} writes it. */
  bytea: string;
  "smallint[]": readonly number[];
  "timestamptz[]": readonly Date[];
}

type Columns = Readonly<Record<string, keyof ColumnTypes>>;
type Row<C extends Columns> = { readonly [K in keyof C]: ColumnTypes[C[K]] | null };

/** Rows of one shape. */
interface RecordSet<C extends Columns> {
  /** The rows of a parameter as an item of a FROM clause. */
  from(alias: string, parameter: number): string;
  /** The value of that parameter. */
  values(rows: readonly Row<C>[]): string;
}

/**
 * Declares rows by the names and types of their columns. One JSON text costs the driver less than an array a column, which it
 * escapes value by value, and a value cannot slip into the neighbouring column.
 */
export function recordSet<const C extends Columns>(columns: C): RecordSet<C> {
  const list = Object.entries(columns).map(([name, type]) => `"${name}" ${type}`);
  return {
    from: (alias, parameter) =>
      `json_to_recordset($${parameter}::json) as ${alias}(${list.join(", ")})`,
    values: (rows) => JSON.stringify(rows),
  };
}

/** Bytes as PostgreSQL's `bytea` reads them in a text. */
export function hex(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return `\\x${Buffer.from(buffer, byteOffset, byteLength).toString("hex")}`;
}
