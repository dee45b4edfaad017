package io.rigmesh.ledger.chain;

import java.util.OptionalLong;

/// How an RPC endpoint does, for people and for metrics.
///
/// @param name scheme, host and port: what else the address holds may be a key
/// @param state whether it is asked
/// @param requests how many requests went to it since the start
/// @param failures how many of them it did not answer
/// @param head the newest block that it told of
public record EndpointHealth(
    String name, State state, long requests, long failures, OptionalLong head) {
  /// Whether an endpoint is asked.
  public enum State {
    /// It is asked in its turn.
    WORKING,
    /// It failed and rests; asked only where no other works.
    FAILING,
    /// Its newest block is too far behind the others'; asked only where no other works.
    BEHIND,
    /// It serves another chain and is not asked.
    WRONG_CHAIN
  }
}
