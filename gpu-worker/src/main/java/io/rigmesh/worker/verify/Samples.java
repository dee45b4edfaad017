package io.rigmesh.worker.verify;

/// How much of a receipt's work to recompute. Signatures, roots and the chain are always checked
/// whole.
public sealed interface Samples {
  /// Everything, from the initial state on.
  record All() implements Samples {}

  /// Some, chosen at random.
  ///
  /// @param count how many training segments (from one checkpoint to the next), tokens or
  ///   sentences; more than there are means all of them
  /// @param seed chooses them: the same seed chooses the same ones. The verifier picks it after the
  ///   receipt is signed, or else a cheat knows where not to cheat.
  record Some(int count, long seed) implements Samples {
    /// Checks the count.
    public Some {
      if (count < 0) {
        throw new IllegalArgumentException("samples are counted from 0, not " + count);
      }
    }
  }
}
