-- Pictures of products that operators have uploaded, each once: its name is the hash of its bytes.
CREATE TABLE picture (
  sha256     text COLLATE "C" PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  media_type text NOT NULL,
  content    bytea NOT NULL,
  -- When it was last known to be wanted: uploaded, chosen for a product, or found with one.
  touched_at timestamptz NOT NULL DEFAULT now()
);
-- Formats of pictures are compressed already.
ALTER TABLE picture ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX picture_by_touch ON picture (touched_at);

-- Which products have a picture.
CREATE INDEX product_by_picture ON product (picture_url) WHERE picture_url LIKE '/pictures/%';
