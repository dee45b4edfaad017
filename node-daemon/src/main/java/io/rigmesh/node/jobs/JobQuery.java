package io.rigmesh.node.jobs;

import io.rigmesh.protocol.Hash;
import java.util.Optional;

/// Which jobs to list, newest first.
///
/// @param state only jobs in the state of this name, such as `running`
/// @param role only jobs on this side
/// @param limit how many at most, 1 to [#LIMIT_MAX]
/// @param after go on behind this job, the last of the page before
public record JobQuery(
    Optional<String> state, Optional<JobRole> role, int limit, Optional<Hash> after) {
  /// The most jobs on a page that is handed out.
  public static final int PAGE_MAX = 500;

  /// The most jobs that are asked for: one more than a page, which says whether there is a next.
  public static final int LIMIT_MAX = PAGE_MAX + 1;

  /// Checks the range.
  public JobQuery {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new IllegalArgumentException(
          "limit lies between 1 and " + LIMIT_MAX + ", not " + limit);
    }
  }

  /// The newest `limit` jobs.
  public static JobQuery newest(int limit) {
    return new JobQuery(Optional.empty(), Optional.empty(), limit, Optional.empty());
  }
}
