package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Profile;
import java.util.Set;

/// A device as its worker reports it now. It runs one job at a time, or generations that share one
/// loaded model.
///
/// @param id its name in settings, such as `cpu`
/// @param memoryBytes its memory
/// @param profiles the arithmetic that it computes
/// @param generationsMax how many generations with one model and profile it runs at once
public record Device(String id, long memoryBytes, Set<Profile> profiles, int generationsMax) {
  /// Copies the set.
  public Device {
    profiles = Set.copyOf(profiles);
  }

  /// A device that runs one job at a time, whatever it is.
  public Device(String id, long memoryBytes, Set<Profile> profiles) {
    this(id, memoryBytes, profiles, 1);
  }
}
