package io.rigmesh.worker.process;

/// What messages between the daemon and its workers may weigh, as worker.proto says.
final class WireLimits {
  /// A request is a job of at most 4 KiB and four paths.
  static final int REQUEST_BYTES_MAX = 64 << 10;

  /// The evidence of a million training steps, the most that a job may ask for, fits.
  static final int EVENT_BYTES_MAX = 256 << 20;

  private WireLimits() {}
}
