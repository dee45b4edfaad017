package io.rigmesh.ledger;

/// Something about the chain went wrong. The message says what, and what a person can do about it.
public class LedgerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String sentence;

  /// An error in one or two sentences.
  public LedgerException(String message) {
    super(message);
    this.sentence = message;
  }

  /// An error in one or two sentences, with what caused it.
  public LedgerException(String message, Throwable cause) {
    super(message, cause);
    this.sentence = message;
  }

  @Override
  public final String getMessage() {
    return sentence;
  }
}
