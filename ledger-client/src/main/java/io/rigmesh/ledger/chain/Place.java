package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Hash;
import java.time.Instant;

/// A log's position in the chain. The block's hash tells two chains apart that a reorganisation
/// made of one.
///
/// @param blockNumber the block's number
/// @param blockHash the block's hash
/// @param transaction the transaction's hash
/// @param logIndex the position of the log in the block
/// @param at the time that the block states
public record Place(long blockNumber, Hash blockHash, Hash transaction, long logIndex, Instant at)
    implements Comparable<Place> {
  @Override
  public int compareTo(Place other) {
    int blocks = Long.compare(blockNumber, other.blockNumber);
    return blocks != 0 ? blocks : Long.compare(logIndex, other.logIndex);
  }
}
