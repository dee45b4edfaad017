package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Hash;

/// A hold on a device. Every hold ends by itself, so that nothing that died can keep capacity.
///
/// @param job who holds it
/// @param device the device's id
/// @param stage what for
/// @param expiresAtMillis Unix time at which it ends unless it is renewed
public record Lease(Hash job, String device, Stage stage, long expiresAtMillis) {
  /// What a device is held for.
  public enum Stage {
    /// Admitted, but not confirmed: its escrow is being accepted.
    PLACED,
    /// Confirmed; waits for the device.
    WAITING,
    /// Runs.
    RUNNING
  }
}
