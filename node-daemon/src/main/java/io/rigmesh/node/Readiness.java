package io.rigmesh.node;

import java.util.List;

/// Whether a node can take new work.
///
/// @param reasons why not, one sentence each; empty if it can
public record Readiness(List<String> reasons) {
  /// Copies the list.
  public Readiness {
    reasons = List.copyOf(reasons);
  }

  /// True if it can.
  public boolean ready() {
    return reasons.isEmpty();
  }
}
