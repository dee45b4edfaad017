package io.rigmesh.worker.serve;

/// Bounds of an [Engine].
///
/// @param sequencesMax the most sequences that are in the model at once
/// @param waitingMax the most that wait for pages or for a place
/// @param stepRowsMax the most rows of one step; a long prompt takes several steps, so that those
///   who decode beside it do not wait for all of it
/// @param unreadMax a sequence rests while so many of its tokens are not read
/// @param prefixCache whether equal beginnings are computed once
public record EngineLimits(
    int sequencesMax, int waitingMax, int stepRowsMax, int unreadMax, boolean prefixCache) {
  /// Refuses limits under which nothing runs.
  public EngineLimits {
    if (sequencesMax < 1 || waitingMax < 1 || stepRowsMax < 1 || unreadMax < 1) {
      throw new IllegalArgumentException(
          "An engine needs at least one sequence, one place to wait, one row and one unread token: "
              + "sequencesMax=%d, waitingMax=%d, stepRowsMax=%d, unreadMax=%d."
                  .formatted(sequencesMax, waitingMax, stepRowsMax, unreadMax));
    }
  }

  /// For a CPU: wide enough that weights are read once for many, narrow enough that a step stays
  /// short.
  public static EngineLimits usual() {
    return new EngineLimits(32, 256, 256, 64, true);
  }
}
