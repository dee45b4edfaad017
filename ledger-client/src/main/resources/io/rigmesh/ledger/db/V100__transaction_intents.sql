-- Which chain this store belongs to: two development chains share an id but not a genesis block.
CREATE TABLE ledger_chain (
  chain_id     INTEGER PRIMARY KEY,
  genesis_hash TEXT NOT NULL
) STRICT;

-- One row for each thing that the node decided to do on a chain. The business key says what it is
-- ("fund:<requester>:<jobId>") and exists once, and so does a nonce: that is what keeps a node from
-- paying twice.
CREATE TABLE ledger_intent (
  id               INTEGER PRIMARY KEY,
  chain_id         INTEGER NOT NULL REFERENCES ledger_chain (chain_id),
  account          TEXT    NOT NULL,
  business_key     TEXT    NOT NULL,
  purpose          TEXT    NOT NULL,
  recipient        TEXT,              -- null: creates a contract
  data             BLOB    NOT NULL,
  value_wei        TEXT    NOT NULL,
  state            TEXT    NOT NULL CHECK (state IN
    ('planned', 'signed', 'mined', 'confirmed', 'reverted', 'refused', 'displaced')),
  nonce            INTEGER CHECK ((nonce IS NULL) = (state IN ('planned', 'refused'))),
  note             TEXT    NOT NULL,  -- why it waits, was refused, reverted or displaced; else empty
  tx_hash          TEXT,              -- the attempt that is in a block
  block_number     INTEGER,
  block_hash       TEXT,
  succeeded        INTEGER,
  gas_used         INTEGER,
  gas_price_wei    TEXT,
  contract_created TEXT,
  created_at_ms    INTEGER NOT NULL,
  updated_at_ms    INTEGER NOT NULL,
  UNIQUE (chain_id, account, business_key),
  UNIQUE (chain_id, account, nonce)
) STRICT;

CREATE INDEX ledger_intent_open ON ledger_intent (chain_id, account, id)
  WHERE state IN ('planned', 'signed', 'mined');

-- Every version of a transaction that was ever signed, all under their intent's one nonce: any of
-- them may be the one that ends in a block.
CREATE TABLE ledger_attempt (
  tx_hash          TEXT    PRIMARY KEY,
  intent_id        INTEGER NOT NULL REFERENCES ledger_intent (id),
  raw              TEXT    NOT NULL,
  gas_limit        INTEGER NOT NULL,
  max_fee_wei      TEXT    NOT NULL,
  priority_fee_wei TEXT    NOT NULL,
  signed_at_ms     INTEGER NOT NULL,
  sent_at_ms       INTEGER             -- when an endpoint last took it; null: perhaps never
) STRICT;

CREATE INDEX ledger_attempt_intent ON ledger_attempt (intent_id, signed_at_ms);
