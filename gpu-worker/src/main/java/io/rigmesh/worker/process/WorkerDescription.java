package io.rigmesh.worker.process;

import io.rigmesh.protocol.Profile;
import java.util.List;

/// What a worker says of the device it serves.
///
/// @param deviceName what receipts say
/// @param kind `cpu` or `cuda`
/// @param memoryTotalBytes what jobs can use at most; for the CPU, the worker's heap
/// @param memoryFreeBytes what of it is free now
/// @param threads how many compute
/// @param profiles the arithmetics it has kernels for
/// @param processId the worker's process
/// @param generationsMax how many generations with one model and profile run at once
public record WorkerDescription(
    String deviceName,
    String kind,
    long memoryTotalBytes,
    long memoryFreeBytes,
    int threads,
    List<Profile> profiles,
    long processId,
    int generationsMax) {
  /// Copies the list.
  public WorkerDescription {
    profiles = List.copyOf(profiles);
  }
}
