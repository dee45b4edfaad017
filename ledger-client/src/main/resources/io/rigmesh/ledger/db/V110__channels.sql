-- One account's side of one contract's channels.
CREATE TABLE ledger_book (
  id           INTEGER PRIMARY KEY,
  chain_id     INTEGER NOT NULL,
  contract     TEXT    NOT NULL,
  account      TEXT    NOT NULL,
  role         TEXT    NOT NULL CHECK (role IN ('payer', 'payee', 'watched')),
  UNIQUE (chain_id, contract, account, role)
) STRICT;

CREATE TABLE ledger_channel (
  id             INTEGER PRIMARY KEY,
  book_id        INTEGER NOT NULL REFERENCES ledger_book (id),
  channel        TEXT    NOT NULL,  -- the hash of the next five
  payer          TEXT    NOT NULL,
  signer         TEXT    NOT NULL,
  payee          TEXT    NOT NULL,
  token          TEXT    NOT NULL,
  salt           INTEGER NOT NULL,
  state          TEXT    NOT NULL CHECK (state IN ('opening', 'open', 'failed', 'found', 'leaving')),
  note           TEXT    NOT NULL,  -- why it failed, or why it gets no further voucher; else empty
  -- What the chain said when it was asked last, and how many news there were of the channel then.
  deposit        TEXT    NOT NULL,
  redeemed       TEXT    NOT NULL,
  closes_at      INTEGER,           -- unix seconds
  closed         INTEGER NOT NULL,
  read_at_block  INTEGER NOT NULL,  -- -1: never read
  news           INTEGER NOT NULL,
  news_read      INTEGER NOT NULL,
  -- The newest voucher, written by the payer before it is sent and by the payee before it counts.
  amount         TEXT    NOT NULL,
  receipts_root  TEXT,
  signature      TEXT    CHECK ((signature IS NULL) = (receipts_root IS NULL)),
  owed_ended     TEXT    NOT NULL,  -- payee: what jobs that ended owe, and what was redeemed before
  funding_number INTEGER NOT NULL,  -- payer: openings and top-ups so far
  funding_amount TEXT,              -- payer: what is on its way into the channel
  UNIQUE (book_id, channel)
) STRICT;

CREATE INDEX ledger_channel_of ON ledger_channel (channel);

-- What jobs hold of a channel (payer) or may cost (payee), until a time: no hold outlives its job.
CREATE TABLE ledger_channel_job (
  channel_id     INTEGER NOT NULL REFERENCES ledger_channel (id),
  job            TEXT    NOT NULL,
  most           TEXT    NOT NULL,
  used           TEXT    NOT NULL,  -- paid (payer), owed (payee)
  until_ms       INTEGER NOT NULL,
  ended          INTEGER NOT NULL, -- payee: what it owes is counted with the channel
  PRIMARY KEY (channel_id, job)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_channel_job_of ON ledger_channel_job (job);

-- The receipts that a channel has paid in full, in the order of their payment.
CREATE TABLE ledger_channel_receipt (
  channel_id     INTEGER NOT NULL REFERENCES ledger_channel (id),
  position       INTEGER NOT NULL,
  receipt        TEXT    NOT NULL,
  PRIMARY KEY (channel_id, position)
) STRICT, WITHOUT ROWID;

-- Calls that hand in vouchers: written before their transaction, so that a restart finds both.
CREATE TABLE ledger_redemption (
  id             INTEGER PRIMARY KEY,
  book_id        INTEGER NOT NULL REFERENCES ledger_book (id),
  payee          TEXT    NOT NULL,
  token          TEXT    NOT NULL,
  state          TEXT    NOT NULL CHECK (state IN ('open', 'done', 'failed')),
  note           TEXT    NOT NULL,
  created_at_ms  INTEGER NOT NULL
) STRICT;

CREATE INDEX ledger_redemption_open ON ledger_redemption (book_id, id) WHERE state = 'open';

CREATE TABLE ledger_redemption_claim (
  redemption_id  INTEGER NOT NULL REFERENCES ledger_redemption (id),
  channel_id     INTEGER NOT NULL REFERENCES ledger_channel (id),
  amount         TEXT    NOT NULL,
  receipts_root  TEXT    NOT NULL,
  signature      TEXT    NOT NULL,
  PRIMARY KEY (redemption_id, channel_id)
) STRICT, WITHOUT ROWID;
