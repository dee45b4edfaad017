package io.rigmesh.worker.cuda;

/// Hears how far the loading of a model is.
@FunctionalInterface
public interface LoadProgress {
  /// So many of the files' bytes are on the device.
  void loaded(long bytes, long bytesTotal);
}
