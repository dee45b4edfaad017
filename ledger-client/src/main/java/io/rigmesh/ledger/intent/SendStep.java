package io.rigmesh.ledger.intent;

/// The steps of a transaction, each reached when what it names is on the disk or with the chain.
public enum SendStep {
  /// The intent is stored.
  PLANNED,
  /// The chain has said how much gas it takes; nothing new is stored.
  ESTIMATED,
  /// The nonce and the signed bytes are stored.
  SIGNED,
  /// An endpoint took the bytes; that is not stored yet.
  SENT,
  /// It is stored that an endpoint took the bytes.
  SENT_STORED,
  /// A version with higher fees is stored, under the same nonce.
  REPLACEMENT_SIGNED,
  /// It was seen in a block, which is stored.
  MINED,
  /// A reorganisation took the block away, which is stored.
  UNMINED,
  /// It is deep enough, with or without effect, which is stored.
  SETTLED
}
