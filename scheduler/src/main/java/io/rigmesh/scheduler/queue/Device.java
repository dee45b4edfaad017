package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Profile;
import java.util.Set;

/// A device as its worker reports it now. It runs one job at a time: every job has the whole
/// memory, and what one job does cannot slow or fail another.
///
/// @param id its name in settings, such as `cpu`
/// @param memoryBytes its memory
/// @param profiles the arithmetic that it computes
public record Device(String id, long memoryBytes, Set<Profile> profiles) {
  /// Copies the set.
  public Device {
    profiles = Set.copyOf(profiles);
  }
}
