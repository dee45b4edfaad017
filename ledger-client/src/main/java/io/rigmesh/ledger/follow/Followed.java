package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.chain.ChainLog;
import org.jdbi.v3.core.Handle;

/// A source and who listens to it.
///
/// @param source the contract and its logs
/// @param listener is told of them
/// @param <E> the events
public record Followed<E>(EventSource<E> source, EventListener<E> listener) {
  void happened(Handle transaction, ChainLog log) {
    listener.happened(transaction, source.event(log));
  }

  void takenBack(Handle transaction, ChainLog log) {
    listener.takenBack(transaction, source.event(log));
  }
}
