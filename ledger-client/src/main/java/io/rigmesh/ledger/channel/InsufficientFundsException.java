package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;

/// The payer has too little of the token, in the contract and in its wallet, for a channel, or the
/// session key that asked may not move so much of it.
public final class InsufficientFundsException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public InsufficientFundsException(String message) {
    super(message);
  }
}
