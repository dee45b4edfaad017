package io.rigmesh.node.workers;

import io.rigmesh.worker.process.WorkerDescription;

/// Hears of workers that come and go, on the thread that watches the device.
public interface WorkerWatch {
  /// A device's worker serves now.
  void serves(String device, WorkerDescription description);

  /// A device's worker has ended.
  void stopsServing(String device);
}
