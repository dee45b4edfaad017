package io.rigmesh.ledger.account;

import io.rigmesh.ledger.LedgerException;

/// A keystore file cannot be written, read or opened. The message names the file and says what to
/// do.
public final class KeystoreException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public KeystoreException(String message) {
    super(message);
  }

  /// An error in one or two sentences, with what caused it.
  public KeystoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
