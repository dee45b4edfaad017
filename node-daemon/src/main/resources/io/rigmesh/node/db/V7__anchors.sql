-- Merkle roots over receipts that this node's account writes into a ReceiptLog. A root and all that is under it are here
-- before its transaction is.
CREATE TABLE anchor (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  -- What the asker calls it; the same id is the same root.
  id TEXT NOT NULL,
  chain_id INTEGER NOT NULL,
  log TEXT NOT NULL,
  account TEXT NOT NULL,
  root TEXT NOT NULL,
  receipts INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- The time of the block that holds it, once that is confirmed.
  anchored_at_seconds INTEGER,
  UNIQUE (chain_id, log, account, id),
  UNIQUE (chain_id, log, account, root)
);

CREATE TABLE anchored_receipt (
  anchor INTEGER NOT NULL REFERENCES anchor (number),
  -- Its place under the root, from 0.
  place INTEGER NOT NULL,
  job_id TEXT NOT NULL REFERENCES job (id),
  hash TEXT NOT NULL,
  PRIMARY KEY (anchor, place)
) WITHOUT ROWID;

CREATE INDEX anchored_receipt_job ON anchored_receipt (job_id);
