-- The channel that pays for a job, as payer, signer, payee, token and salt with commas between, and what this node has
-- paid for the job, or was paid once it is settled.
ALTER TABLE job ADD COLUMN channel TEXT;
ALTER TABLE job ADD COLUMN paid TEXT NOT NULL DEFAULT '0';
