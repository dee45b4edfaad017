-- Who computes a requester's job, as a peer of the network, and who it was said that it must be.
ALTER TABLE job ADD COLUMN provider_peer TEXT;
ALTER TABLE job ADD COLUMN wanted_peer TEXT;

-- Folders of models that somebody put here by hand.
CREATE TABLE model (
  root TEXT PRIMARY KEY,
  added_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- The sequence number of this node's last offer.
CREATE TABLE offer_sequence (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 0),
  sequence INTEGER NOT NULL
);
INSERT INTO offer_sequence (only_one, sequence) VALUES (0, 0);
