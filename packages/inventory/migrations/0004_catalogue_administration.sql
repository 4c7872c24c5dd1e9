-- Operators edit the catalogue and adjust its stock.

-- The words of a text without case and accents, as `search_query` looks for them. Its own letters are those of the database's locale:
-- columns of text compare by code point, where letters beyond ASCII have no case. A lexeme has at most 2,046 bytes.
CREATE FUNCTION search_words(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT left(word, 64)), '{}')
  FROM regexp_split_to_table(
    lower(regexp_replace(normalize($1 COLLATE "default", NFKD), '[\u0300-\u036f]', '', 'g')), '[^[:alnum:]]+') AS word
  WHERE word <> ''
$$;

-- Every word must begin one of the text; no word at all finds nothing.
CREATE FUNCTION search_query(text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(string_agg(quote_literal(word) || ':*', ' & '), '')::tsquery FROM unnest(search_words($1)) AS word
$$;

ALTER TABLE product
  ADD COLUMN picture_url text NOT NULL DEFAULT '',
  ADD COLUMN archived_at timestamptz,
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
    array_to_tsvector(search_words(product_id || ' ' || name || ' ' || category || ' ' || description))) STORED;

CREATE INDEX product_by_search ON product USING gin (search);
CREATE INDEX product_archived ON product (category, name, product_id) WHERE archived_at IS NOT NULL;

-- `adjusted` is the sum of the product's entries in the ledger. `initial` is the balance before them: entries whose retention has ended
-- are added to it, and units of deleted orders are taken out, so it may fall below 0.
DROP VIEW stock_level;
ALTER TABLE stock DROP CONSTRAINT stock_adds_up, DROP CONSTRAINT stock_initial_check;
ALTER TABLE stock ADD COLUMN adjusted integer NOT NULL DEFAULT 0;
ALTER TABLE stock ADD CONSTRAINT stock_adds_up CHECK (initial + adjusted = available + reserved);

CREATE VIEW stock_level AS
SELECT s.product_id, s.initial, s.adjusted, s.available,
       coalesce(sum(quantity) FILTER (WHERE status = 'HELD'), 0)::int AS held,
       coalesce(sum(quantity) FILTER (WHERE status = 'COMMITTED'), 0)::int AS committed
FROM stock s
LEFT JOIN (
  SELECT line->>'productId' AS product_id, (line->>'quantity')::int AS quantity, status
  FROM reservation, jsonb_array_elements(lines) AS line
  WHERE status IN ('HELD', 'COMMITTED')) units USING (product_id)
GROUP BY s.product_id;

-- The ledger: units that came or went other than by an order.
CREATE TABLE stock_adjustment (
  adjustment_id   text COLLATE "C" PRIMARY KEY,
  -- The order in which they are listed.
  sequence        bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  product_id      text COLLATE "C" NOT NULL REFERENCES product,
  delta           integer NOT NULL CHECK (delta <> 0),
  reason          text NOT NULL CHECK (reason IN ('RECEIVED', 'RETURNED', 'WRITTEN_OFF', 'CORRECTED')),
  note            text NOT NULL,
  operator        text NOT NULL,
  available_after integer NOT NULL CHECK (available_after >= 0),
  adjusted_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_adjustment_by_product ON stock_adjustment (product_id, sequence);

-- Files of goods on their way into the catalogue. `summary` is set when an import was applied.
CREATE TABLE catalogue_import (
  import_id  text COLLATE "C" PRIMARY KEY,
  touched_at timestamptz NOT NULL DEFAULT now(),
  summary    jsonb
);

-- Lost in a crash of the database, which makes the import incomplete: it is then refused and begun again. A line without product_id was
-- rejected; of the others, a column that is null is not in the file.
CREATE UNLOGGED TABLE catalogue_import_row (
  import_id     text COLLATE "C" NOT NULL,
  line          integer NOT NULL,
  product_id    text COLLATE "C",
  name          text COLLATE "C",
  description   text,
  category      text COLLATE "C",
  emoji         text,
  picture_url   text,
  currency_code text,
  price_minor   bigint,
  stock         integer,
  archived      boolean,
  PRIMARY KEY (import_id, line)
);
CREATE UNIQUE INDEX catalogue_import_row_by_product ON catalogue_import_row (import_id, product_id);

-- What the catalogue began with. A database that is older than this file has its catalogue; a new one gets what SMARTCART_SEED says.
CREATE TABLE catalogue_seed (
  only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seed      text NOT NULL,
  seeded_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO catalogue_seed (seed)
SELECT 'demo' WHERE EXISTS (SELECT FROM migrations_inventory WHERE applied_at < now());
