-- What the transactions in blocks add up to, by the first word of their keys: metrics ask for it
-- every few seconds, and the transactions grow for ever. The triggers keep it true whoever writes,
-- also when a reorganisation takes a transaction out again.
CREATE TABLE ledger_intent_total (
  chain_id     INTEGER NOT NULL,
  account      TEXT    NOT NULL,
  verb         TEXT    NOT NULL,
  transactions INTEGER NOT NULL,
  gas_used     INTEGER NOT NULL,
  PRIMARY KEY (chain_id, account, verb)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_intent_total
SELECT chain_id, account, substr(business_key, 1, instr(business_key || ':', ':') - 1) AS verb,
       count(*), sum(gas_used)
FROM ledger_intent
WHERE gas_used IS NOT NULL
GROUP BY chain_id, account, verb;

CREATE TRIGGER ledger_intent_totalled AFTER UPDATE OF gas_used ON ledger_intent
WHEN OLD.gas_used IS NOT NEW.gas_used
BEGIN
  INSERT INTO ledger_intent_total
  VALUES (NEW.chain_id, NEW.account,
          substr(NEW.business_key, 1, instr(NEW.business_key || ':', ':') - 1),
          (NEW.gas_used IS NOT NULL) - (OLD.gas_used IS NOT NULL),
          ifnull(NEW.gas_used, 0) - ifnull(OLD.gas_used, 0))
  ON CONFLICT (chain_id, account, verb) DO UPDATE SET
    transactions = transactions + excluded.transactions,
    gas_used = gas_used + excluded.gas_used;
END;
