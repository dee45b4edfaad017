-- How far the escrow's events were read, for each contract and account.
CREATE TABLE ledger_follow (
  id           INTEGER PRIMARY KEY,
  chain_id     INTEGER NOT NULL,
  escrow       TEXT    NOT NULL,
  account      TEXT    NOT NULL,
  UNIQUE (chain_id, escrow, account)
) STRICT;

-- Blocks up to which reading was complete. The newest is the cursor, the older ones find the common
-- ancestor after a reorganisation; only the newest few hundred are kept.
CREATE TABLE ledger_follow_mark (
  follow_id    INTEGER NOT NULL REFERENCES ledger_follow (id),
  block_number INTEGER NOT NULL,
  block_hash   TEXT    NOT NULL,
  PRIMARY KEY (follow_id, block_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_escrow_event (
  follow_id    INTEGER NOT NULL REFERENCES ledger_follow (id),
  block_number INTEGER NOT NULL,
  log_index    INTEGER NOT NULL,
  block_hash   TEXT    NOT NULL,
  tx_hash      TEXT    NOT NULL,
  kind         TEXT    NOT NULL CHECK (kind IN
    ('funded', 'accepted', 'proof-submitted', 'released', 'refunded')),
  requester    TEXT    NOT NULL,
  provider     TEXT    NOT NULL,
  job_id       TEXT    NOT NULL,
  amount       TEXT,                  -- locked, due, paid or refunded, after the kind
  returned     TEXT,                  -- released: what the requester got back
  deadline     INTEGER,               -- funded: unix seconds
  proof_root   TEXT,                  -- proof-submitted
  PRIMARY KEY (follow_id, block_number, log_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_escrow_event_job ON ledger_escrow_event (follow_id, requester, job_id);
