-- Any contract's logs are followed now, so they are kept as the chain wrote them; what V101 kept can be
-- read again.
DROP TABLE ledger_escrow_event;
DROP TABLE ledger_follow_mark;
DROP TABLE ledger_follow;

-- One row for each follower: a set of contracts and accounts that is read together.
CREATE TABLE ledger_follow (
  id           INTEGER PRIMARY KEY,
  chain_id     INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  what         TEXT    NOT NULL,      -- digest of what is followed; if it changes, all is read again
  UNIQUE (chain_id, name)
) STRICT;

-- Blocks up to which reading was complete. The newest is the cursor, the older ones find the common
-- ancestor after a reorganisation; only the newest few hundred are kept.
CREATE TABLE ledger_follow_mark (
  follow_id    INTEGER NOT NULL REFERENCES ledger_follow (id),
  block_number INTEGER NOT NULL,
  block_hash   TEXT    NOT NULL,
  PRIMARY KEY (follow_id, block_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_followed_log (
  follow_id    INTEGER NOT NULL REFERENCES ledger_follow (id),
  block_number INTEGER NOT NULL,
  log_index    INTEGER NOT NULL,
  source       TEXT    NOT NULL,      -- what wanted it: "escrow", "channels"
  block_hash   TEXT    NOT NULL,
  tx_hash      TEXT    NOT NULL,
  block_time   INTEGER NOT NULL,      -- unix seconds
  contract     TEXT    NOT NULL,
  topic0       TEXT    NOT NULL,      -- the kind of the event
  topic1       TEXT    NOT NULL,      -- its first indexed value, or empty
  topics       BLOB    NOT NULL,      -- all of them, 32 bytes each
  data         BLOB    NOT NULL,
  PRIMARY KEY (follow_id, block_number, log_index, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_followed_subject ON ledger_followed_log (follow_id, source, topic0, topic1);
