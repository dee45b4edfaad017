package io.rigmesh.ledger.account;

import io.rigmesh.ledger.LedgerException;

/// A signer is away, refuses, or signs something else than it was asked for.
public final class SignerException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// What happened and what a person can do.
  public SignerException(String message) {
    super(message);
  }

  /// The same with what caused it.
  public SignerException(String message, Throwable cause) {
    super(message, cause);
  }
}
