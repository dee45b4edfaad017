-- Jobs on either side of the market. Hashes and addresses are 0x texts, amounts decimal texts, times
-- Unix milliseconds unless the name says otherwise.
CREATE TABLE job (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('provider', 'requester')),
  signed_json BLOB NOT NULL,
  state TEXT NOT NULL,
  state_code TEXT NOT NULL DEFAULT '',
  state_message TEXT NOT NULL DEFAULT '',
  -- What has yet to happen to the money of a job that ended without payment: '', 'decline', 'refund'.
  closing TEXT NOT NULL DEFAULT '' CHECK (closing IN ('', 'decline', 'refund')),
  cancel_asked INTEGER NOT NULL DEFAULT 0,
  provider TEXT,
  progress_step INTEGER,
  progress_total INTEGER,
  progress_loss REAL,
  tokens_per_second REAL,
  started_at_seconds INTEGER,
  -- Workers that ended while they ran this job.
  crashes INTEGER NOT NULL DEFAULT 0,
  -- The last event of the provider that this requester has mirrored.
  remote_sequence INTEGER NOT NULL DEFAULT 0,
  events_dropped INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
);

CREATE INDEX job_state ON job (state, number);
CREATE INDEX job_closing ON job (closing) WHERE closing <> '';

-- What a requester's nonce was used for; kept for ever, also when a job is forgotten.
CREATE TABLE nonce (
  requester TEXT NOT NULL,
  nonce TEXT NOT NULL,
  job_id TEXT NOT NULL,
  PRIMARY KEY (requester, nonce)
) WITHOUT ROWID;

CREATE TABLE job_event (
  job_id TEXT NOT NULL REFERENCES job (id),
  sequence INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job_id, sequence)
) WITHOUT ROWID;

CREATE TABLE receipt (
  job_id TEXT PRIMARY KEY REFERENCES job (id),
  -- The content of receipt.json.
  file BLOB NOT NULL,
  hash TEXT NOT NULL,
  price TEXT NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  output TEXT NOT NULL,
  output_model TEXT
) WITHOUT ROWID;

-- Measured operations per second.
CREATE TABLE speed (
  device TEXT NOT NULL,
  kind TEXT NOT NULL,
  operations_per_second REAL NOT NULL,
  PRIMARY KEY (device, kind)
) WITHOUT ROWID;
