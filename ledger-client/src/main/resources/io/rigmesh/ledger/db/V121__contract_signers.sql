-- Whether the newest voucher is one that the signer's contract takes (EIP-1271) and no key signed, and
-- whether a call hands such a one in: those go in alone, and their failures delay no others.
ALTER TABLE ledger_channel ADD COLUMN by_contract INTEGER NOT NULL DEFAULT 0;

ALTER TABLE ledger_redemption ADD COLUMN by_contract INTEGER NOT NULL DEFAULT 0;
