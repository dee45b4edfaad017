package io.rigmesh.ledger.chain;

import java.time.Duration;
import java.util.OptionalLong;

/// How an RPC endpoint does, for people and for metrics.
///
/// @param name scheme, host and port: what else the address holds may be a key. Where two endpoints
///   share them, the second is told apart by its position
/// @param state whether it is asked
/// @param requests how many requests went to it since the start
/// @param failures how often it failed: an answer did not come, came too late or was none
/// @param answers how many requests it answered
/// @param answering how long those answers took in all
/// @param head the newest block that it told of; empty where there is nothing to compare it with
/// @param blocksBehind how many blocks it lacked that another one had when they were compared
/// @param trouble why it is not working, in words; empty while it is
public record EndpointHealth(
    String name,
    State state,
    long requests,
    long failures,
    long answers,
    Duration answering,
    OptionalLong head,
    OptionalLong blocksBehind,
    String trouble) {
  /// Whether an endpoint is asked.
  public enum State {
    /// It is asked in its turn.
    WORKING("working"),
    /// It failed and rests; asked only where no other works.
    FAILING("failing"),
    /// Its newest block is too far behind the others'; asked only where no other works.
    BEHIND("behind"),
    /// It serves another chain and is not asked, but looked at now and then.
    WRONG_CHAIN("wrong-chain");

    private final String id;

    State(String id) {
      this.id = id;
    }

    /// The word for it in JSON, tables and metrics.
    public String id() {
      return id;
    }
  }
}
