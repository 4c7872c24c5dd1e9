-- The catalogue, its stock and what is set aside of it.

-- Text is compared by code point ("C"): the order of the catalogue, and with it the page tokens, then does not
-- depend on the locale of the machine.
CREATE TABLE product (
  product_id    text COLLATE "C" PRIMARY KEY CHECK (length(product_id) BETWEEN 1 AND 64),
  name          text COLLATE "C" NOT NULL,
  description   text NOT NULL,
  category      text COLLATE "C" NOT NULL,
  emoji         text NOT NULL,
  currency_code text NOT NULL CHECK (currency_code ~ '^[A-Z]{3}$'),
  price_minor   bigint NOT NULL CHECK (price_minor >= 0),
  -- Whoever changes a product raises it by one; together with stock.version it is the version that clients compare.
  revision      bigint NOT NULL DEFAULT 1
);

CREATE INDEX product_by_category_and_name ON product (category, name, product_id);

-- One narrow row a product, apart from the catalogue because it changes with every order. The low fill factor keeps
-- its new row versions on their own page, so that no index has to be touched.
CREATE TABLE stock (
  product_id text COLLATE "C" PRIMARY KEY REFERENCES product,
  initial    integer NOT NULL CHECK (initial >= 0),
  available  integer NOT NULL CHECK (available >= 0),
  held       integer NOT NULL DEFAULT 0 CHECK (held >= 0),
  committed  integer NOT NULL DEFAULT 0 CHECK (committed >= 0),
  version    bigint  NOT NULL DEFAULT 0,
  CONSTRAINT stock_adds_up CHECK (initial = available + held + committed)
) WITH (fillfactor = 20);

-- Rows are never deleted: an id is used once for ever.
CREATE TABLE reservation (
  reservation_id text COLLATE "C" PRIMARY KEY,
  -- [{"productId": "espresso-beans", "quantity": 2}], as asked for; never changed after the insert. Empty for an id
  -- that was released before anybody reserved it.
  lines          jsonb NOT NULL,
  status         text NOT NULL CHECK (status IN ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED')),
  -- Released after it had expired: its status stays EXPIRED, but it can no longer be committed.
  closed         boolean NOT NULL DEFAULT false,
  expires_at     timestamptz,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  CHECK (status <> 'HELD' OR expires_at IS NOT NULL),
  CHECK (status = 'RELEASED' OR jsonb_array_length(lines) > 0)
) WITH (fillfactor = 80);

-- What the sweeper looks for.
CREATE INDEX reservation_by_expiry ON reservation (expires_at) WHERE status = 'HELD';
