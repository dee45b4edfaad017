-- Escrows of an account's jobs, as requester or provider, with what has left them so far.
CREATE TABLE ledger_wallet_escrow (
  book           TEXT    NOT NULL,     -- "<chain id>:<account>"
  requester      TEXT    NOT NULL,
  job            TEXT    NOT NULL,
  provider       TEXT    NOT NULL,
  amount         TEXT    NOT NULL,     -- what was locked, in smallest units
  gone           TEXT    NOT NULL,     -- what of it was paid or came back
  deadline       INTEGER NOT NULL,     -- unix seconds
  milestones     INTEGER NOT NULL,
  PRIMARY KEY (book, requester, job)
) STRICT, WITHOUT ROWID;
