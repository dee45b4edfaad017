package io.rigmesh.worker.device;

/// A device that was asked for cannot be used; the message says why and what can.
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says why.
  public DeviceException(String message) {
    super(message);
  }
}
