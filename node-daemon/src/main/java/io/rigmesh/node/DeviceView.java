package io.rigmesh.node;

import io.rigmesh.protocol.Hash;
import java.util.List;
import java.util.Locale;

/// A device and its worker as they stand now.
///
/// @param id the device's name in settings and flags: `cpu`, `cuda:0` …
/// @param name the device, in words
/// @param kind cpu or cuda
/// @param state whether its worker serves
/// @param reason why it does not, or empty
/// @param memoryBytes its memory, 0 while it is not known
/// @param memoryHeldBytes what the jobs on it and the one that runs are reckoned to need
/// @param threads how many threads its worker computes with, 0 where that means nothing
/// @param running the jobs that run on it
/// @param queued how many jobs wait for it
/// @param restarts how often its worker was started again since the daemon started
public record DeviceView(
    String id,
    String name,
    String kind,
    State state,
    String reason,
    long memoryBytes,
    long memoryHeldBytes,
    int threads,
    List<Hash> running,
    int queued,
    long restarts) {
  /// Copies the list.
  public DeviceView {
    running = List.copyOf(running);
  }

  /// Whether a device's worker serves.
  public enum State {
    /// Its process is being started.
    STARTING,
    /// It takes jobs.
    READY,
    /// Its process ended; it will be started again after a while.
    RESTARTING,
    /// The daemon has stopped it.
    STOPPED;

    /// The name in JSON.
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
