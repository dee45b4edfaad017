package io.rigmesh.ledger;

/// The chain behind the endpoint is not the one that was configured, or not the one that this store
/// belongs to.
public final class ChainMismatchException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public ChainMismatchException(String message) {
    super(message);
  }
}
