package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.LedgerException;

/// A call that the chain tried and took back. The message is the contract's reason as a sentence,
/// with a remedy.
public final class RevertedException extends LedgerException {
  private static final long serialVersionUID = 1L;

  private final String error;

  /// The name of the contract's error, and the sentence for people.
  RevertedException(String error, String sentence) {
    super(sentence);
    this.error = error;
  }

  /// The name of the contract's error, such as `WrongStatus`; empty where it gave none.
  public String error() {
    return error;
  }
}
