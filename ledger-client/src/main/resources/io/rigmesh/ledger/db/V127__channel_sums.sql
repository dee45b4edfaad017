-- What is asked of a channel with every voucher costs the same however many jobs it has paid: the parts that still count
-- are few.
CREATE INDEX ledger_channel_job_running ON ledger_channel_job (channel_id) WHERE ended = 0;
CREATE INDEX ledger_channel_job_holding ON ledger_channel_job (channel_id) WHERE most <> used;
CREATE INDEX ledger_channel_payee ON ledger_channel (book_id, payee);
CREATE INDEX ledger_channel_leaving ON ledger_channel (book_id) WHERE state = 'leaving' AND closed = 0;
CREATE INDEX ledger_redemption_claim_of ON ledger_redemption_claim (channel_id, amount);
CREATE INDEX ledger_redemption_failed ON ledger_redemption (book_id, id) WHERE state = 'failed' AND by_contract = 0;

-- The block of the newest news: what an endpoint says of an earlier block does not tell it.
ALTER TABLE ledger_channel ADD COLUMN news_block INTEGER NOT NULL DEFAULT -1;

-- How many jobs a channel was ever told to pay for: it has paid for no more receipts than that.
ALTER TABLE ledger_channel ADD COLUMN jobs INTEGER NOT NULL DEFAULT 0;
UPDATE ledger_channel SET jobs =
  (SELECT count(*) FROM ledger_channel_job j WHERE j.channel_id = ledger_channel.id)
  + (SELECT count(*) FROM ledger_channel_receipt r WHERE r.channel_id = ledger_channel.id);

CREATE TRIGGER ledger_channel_job_came AFTER INSERT ON ledger_channel_job
BEGIN
  UPDATE ledger_channel SET jobs = jobs + 1 WHERE id = NEW.channel_id;
END;
