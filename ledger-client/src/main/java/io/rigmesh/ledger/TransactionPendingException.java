package io.rigmesh.ledger;

/// A transaction was not confirmed in the time that the caller gave. It is not lost: it stays
/// stored, the node goes on with it, and asking again under the same business key finds it.
public final class TransactionPendingException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public TransactionPendingException(String message) {
    super(message);
  }
}
