package io.rigmesh.ledger.intent;

/// Is told of every step of every transaction, for metrics and logs. Called under the sender's
/// lock: it must be quick and must not call the sender.
@FunctionalInterface
public interface SendListener {
  /// A listener that does nothing.
  SendListener NONE = (step, key) -> {};

  /// A step was reached.
  void reached(SendStep step, String key);
}
