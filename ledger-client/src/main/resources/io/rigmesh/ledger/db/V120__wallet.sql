-- What moved an account's tokens, in the order of the chain, each with what it had after it. Written by
-- the follower in the transaction that moves its cursor.
CREATE TABLE ledger_wallet_entry (
  book           TEXT    NOT NULL,     -- "<chain id>:<account>"
  block_number   INTEGER NOT NULL,
  log_index      INTEGER NOT NULL,
  block_hash     TEXT    NOT NULL,
  tx_hash        TEXT    NOT NULL,
  block_time     INTEGER NOT NULL,     -- unix seconds
  kind           TEXT    NOT NULL,
  shown          INTEGER NOT NULL,     -- 0: only half of a movement, the other half is shown
  counterparty   TEXT    NOT NULL,
  channel        TEXT,                 -- the channel it belongs to, if it belongs to one
  redeemed       TEXT,                 -- all that the channel had paid out by then
  amount         TEXT    NOT NULL,     -- smallest units
  wallet_after   TEXT    NOT NULL,     -- tokens of the account, counted from the first block read
  channels_after TEXT    NOT NULL,     -- its balance in PaymentChannels
  locked_after   TEXT    NOT NULL,     -- what is in its channels and not paid out
  PRIMARY KEY (book, block_number, log_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_wallet_transaction ON ledger_wallet_entry (book, tx_hash);

CREATE INDEX ledger_wallet_redeemed ON ledger_wallet_entry (book, channel) WHERE redeemed IS NOT NULL;

CREATE TABLE ledger_wallet_channel (
  book           TEXT    NOT NULL,
  channel        TEXT    NOT NULL,
  payer          TEXT    NOT NULL,
  payee          TEXT    NOT NULL,
  deposit        TEXT    NOT NULL,
  redeemed       TEXT    NOT NULL,
  closes_at      INTEGER,              -- unix seconds; null: nobody asked to close it
  closed         INTEGER NOT NULL,
  PRIMARY KEY (book, channel)
) STRICT, WITHOUT ROWID;
