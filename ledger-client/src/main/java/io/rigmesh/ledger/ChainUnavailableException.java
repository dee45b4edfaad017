package io.rigmesh.ledger;

/// No RPC endpoint answered. Nothing is known about what the chain did meanwhile; stored intents go
/// on when it is back.
public final class ChainUnavailableException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences, with what caused it.
  public ChainUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
