package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.chain.ChainHead;
import org.jdbi.v3.core.Handle;

/// Is told of events in the order of the chain, on the follower's thread.
///
/// An event and the note that it was told are one transaction of the database: what a listener
/// writes with the handle that it is given happens exactly once. It must not wait, ask the chain,
/// or write through another connection, which would wait for this one. After an exception nothing
/// of the transaction has happened, and the same events are told again.
///
/// @param <E> the events
public interface EventListener<E> {
  /// An event is in the chain at the configured depth.
  void happened(Handle transaction, E event);

  /// An event that was told is no longer in the chain: a reorganisation took its block. What comes
  /// after it was taken back before.
  void takenBack(Handle transaction, E event);

  /// Everything that was told is to be forgotten, and is told anew from the first block: other
  /// contracts or other accounts are followed than before.
  void forgotten(Handle transaction);

  /// Everything up to a block was told and is committed.
  default void reached(ChainHead block) {}
}
