package io.rigmesh.ledger.escrow;

/// Is told of the escrow events of one account, in the order of the chain. An event counts as told
/// when the method returned; after a crash or an exception it is told again, so a listener must
/// bear the same event twice.
public interface EscrowListener {
  /// An event is in the chain at the configured depth.
  void happened(EscrowEvent event);

  /// An event that was told is no longer in the chain: a reorganisation took its block. What comes
  /// after it was taken back before.
  void takenBack(EscrowEvent event);
}
