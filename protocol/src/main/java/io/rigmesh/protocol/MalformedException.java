package io.rigmesh.protocol;

/// Something from outside is not of the form this module defines. The message names the field and
/// says what it should be; it is fit to be shown to whoever sent it.
public final class MalformedException extends RuntimeException {
  /// What is wrong, in one sentence.
  public MalformedException(String message) {
    super(message);
  }

  /// What is wrong, in one sentence, and what showed it.
  public MalformedException(String message, Throwable cause) {
    super(message, cause);
  }

  /// The sentence to show to whoever sent it.
  public String sentence() {
    return String.valueOf(getMessage());
  }
}
