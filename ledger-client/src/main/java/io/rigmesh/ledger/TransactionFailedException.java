package io.rigmesh.ledger;

/// A transaction ended without effect and will not be tried again under its business key: it was
/// mined and reverted, or its nonce was used by a transaction that this node did not make.
public final class TransactionFailedException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public TransactionFailedException(String message) {
    super(message);
  }
}
