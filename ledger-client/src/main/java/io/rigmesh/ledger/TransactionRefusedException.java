package io.rigmesh.ledger;

/// The chain would refuse a transaction, so it was not signed and cost nothing. The same business
/// key may be tried again.
public final class TransactionRefusedException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public TransactionRefusedException(String message) {
    super(message);
  }
}
