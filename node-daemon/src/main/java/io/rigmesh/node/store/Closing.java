package io.rigmesh.node.store;

import java.util.Locale;

/// What has yet to happen to the money of a job that ended without payment.
public enum Closing {
  /// Nothing.
  NONE,
  /// The provider has yet to give it back.
  DECLINE,
  /// The requester has yet to see it back.
  REFUND;

  String id() {
    return this == NONE ? "" : name().toLowerCase(Locale.ROOT);
  }

  static Closing of(String id) {
    return id.isEmpty() ? NONE : valueOf(id.toUpperCase(Locale.ROOT));
  }
}
