package io.rigmesh.worker.verify;

/// What a verification found.
public sealed interface Verdict {
  /// For people.
  String sentence();

  /// Everything that was recomputed has the receipt's bits, and all that is always checked holds.
  ///
  /// @param stepsChecked optimiser steps, tokens or sentences that were recomputed
  /// @param stepsTotal of how many
  record Exact(long stepsChecked, long stepsTotal, String sentence) implements Verdict {}

  /// A step's claim is not what the step computes, or breaks the chain.
  ///
  /// @param firstStep the first such step, token or sentence among those checked, from 1; 0 for the
  ///   model that a training starts from
  record Differs(long firstStep, String sentence) implements Verdict {}

  /// The receipt, or what was handed over with it, does not fit together, so that no step can be
  /// blamed: a wrong signature, another input, a missing file.
  record Invalid(String sentence) implements Verdict {}
}
