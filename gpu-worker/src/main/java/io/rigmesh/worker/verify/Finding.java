package io.rigmesh.worker.verify;

import java.io.Serial;

/// Ends a verification with a verdict that is not exact.
final class Finding extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final transient Verdict verdict;

  private Finding(Verdict verdict) {
    super(verdict.sentence());
    this.verdict = verdict;
  }

  Verdict verdict() {
    return verdict;
  }

  /// A step's claim is wrong.
  static Finding differs(long step, String sentence) {
    return new Finding(new Verdict.Differs(step, sentence));
  }

  /// Something does not fit together.
  static Finding invalid(String sentence) {
    return new Finding(new Verdict.Invalid(sentence));
  }

  /// Throws an invalid finding unless a condition holds.
  static void require(boolean holds, String sentence) {
    if (!holds) {
      throw invalid(sentence);
    }
  }
}
