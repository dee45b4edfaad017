-- The provider's signature over Acceptance with which a requester locks the money of a job, before it does so.
ALTER TABLE job ADD COLUMN acceptance TEXT;

-- The milestones of jobs that JobEscrow pays, as far as they are reached. The last of a job is its receipt.
CREATE TABLE milestone (
  job_id TEXT NOT NULL REFERENCES job (id),
  -- From 1.
  number INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  -- The hash of the receipt for the steps up to it, which is its proof, and what that receipt asks for.
  hash TEXT NOT NULL,
  price TEXT NOT NULL,
  -- The same without what the milestones before it cost.
  amount_due TEXT NOT NULL,
  output TEXT NOT NULL,
  reached_at_ms INTEGER NOT NULL,
  -- What the requester found: '', 'exact', 'false'; and why.
  verdict TEXT NOT NULL DEFAULT '' CHECK (verdict IN ('', 'exact', 'false')),
  reason TEXT NOT NULL DEFAULT '',
  -- The requester's signature over Approval, and whether the provider is known to have it.
  approval TEXT,
  delivered INTEGER NOT NULL DEFAULT 0,
  -- Whether its money has gone where it goes, at the confirmation depth.
  paid INTEGER NOT NULL DEFAULT 0,
  -- The content of its receipt.json; the last one's is with the job.
  file BLOB,
  PRIMARY KEY (job_id, number)
);
