package io.rigmesh.scheduler.matching;

import io.rigmesh.protocol.Refusal;
import java.util.List;

/// Which offers fit a job.
public sealed interface Match {
  /// Some do.
  ///
  /// @param candidates the best first; at least one
  record Ranked(List<Candidate> candidates) implements Match {
    /// Copies the list.
    public Ranked {
      candidates = List.copyOf(candidates);
    }
  }

  /// None does.
  ///
  /// @param refusal what all of them lack; of code `unavailable` where no offer is known at all
  record None(Refusal refusal) implements Match {}
}
