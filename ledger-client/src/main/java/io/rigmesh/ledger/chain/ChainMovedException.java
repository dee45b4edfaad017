package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.LedgerException;

/// The chain was reorganised, or another endpoint answered, between two requests that belong
/// together. Asking again helps.
public final class ChainMovedException extends LedgerException {
  private static final long serialVersionUID = 1L;

  ChainMovedException(long chainId, long block) {
    super(
        "Block %d of the chain %d changed while it was read; it is read again."
            .formatted(block, chainId));
  }
}
