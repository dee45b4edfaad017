package io.rigmesh.node;

/// Something that starts and stops with the daemon. Services start in the order in which they are
/// listed and stop in the reverse one.
public interface Service {
  /// Its name in logs.
  String name();

  /// Starts it; returns once it works.
  ///
  /// @throws RuntimeException if it cannot start, with what a person can do about it
  void start();

  /// Stops it; returns once nothing of it runs any more. May be called on a service that never
  /// started.
  void stop();
}
