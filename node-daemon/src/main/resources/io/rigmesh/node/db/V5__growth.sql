-- What is asked for often costs the same however many jobs there have been.

-- How many jobs there are in each state. The triggers keep it true whoever writes.
CREATE TABLE job_total (
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY (role, state)
) WITHOUT ROWID;

INSERT INTO job_total SELECT role, state, count(*) FROM job GROUP BY role, state;

CREATE TRIGGER job_came AFTER INSERT ON job
BEGIN
  INSERT INTO job_total VALUES (NEW.role, NEW.state, 1)
  ON CONFLICT (role, state) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER job_went AFTER DELETE ON job
BEGIN
  UPDATE job_total SET jobs = jobs - 1 WHERE role = OLD.role AND state = OLD.state;
END;

CREATE TRIGGER job_moved AFTER UPDATE OF state ON job WHEN OLD.state <> NEW.state
BEGIN
  UPDATE job_total SET jobs = jobs - 1 WHERE role = OLD.role AND state = OLD.state;
  INSERT INTO job_total VALUES (NEW.role, NEW.state, 1)
  ON CONFLICT (role, state) DO UPDATE SET jobs = jobs + 1;
END;

-- What was paid for all jobs of a side, in smallest units: more than an INTEGER may hold, so that it is added up where
-- job.paid is written.
CREATE TABLE paid_total (
  role TEXT PRIMARY KEY,
  amount TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO paid_total SELECT role, CAST(sum(CAST(paid AS INTEGER)) AS TEXT) FROM job GROUP BY role;

CREATE INDEX job_role ON job (role, number);
CREATE INDEX job_role_state ON job (role, state, number);
CREATE INDEX job_unfinished ON job (role, number)
  WHERE closing <> '' OR state NOT IN ('settled', 'refused', 'cancelled', 'expired', 'failed');

-- The file comes last and in a table with row ids: what stands behind megabytes of it is found only through all of
-- their pages.
CREATE TABLE receipt_lean (
  job_id TEXT PRIMARY KEY REFERENCES job (id),
  hash TEXT NOT NULL,
  price TEXT NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  output TEXT NOT NULL,
  output_model TEXT,
  -- The content of receipt.json.
  file BLOB NOT NULL
);
INSERT INTO receipt_lean (job_id, hash, price, tokens_in, tokens_out, steps, output, output_model, file)
SELECT job_id, hash, price, tokens_in, tokens_out, steps, output, output_model, file FROM receipt;
DROP TABLE receipt;
ALTER TABLE receipt_lean RENAME TO receipt;
CREATE INDEX receipt_model ON receipt (output_model) WHERE output_model IS NOT NULL;
