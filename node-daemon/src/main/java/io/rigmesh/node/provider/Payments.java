package io.rigmesh.node.provider;

import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Job;
import java.time.Clock;

/// The ways in which this node is paid for its work.
public final class Payments {
  private final EscrowPayment escrow;

  /// The ways of a node.
  ///
  /// @param account whom the money is for
  public Payments(
      NodeConfig config, JobStore store, ChainLink chain, Address account, Clock clock) {
    this.escrow = new EscrowPayment(config, store, chain, account, new Moves(store, clock), clock);
  }

  /// How a job is paid.
  Payment of(Job job) {
    return switch (job.task().kind()) {
      case TRAIN, GENERATE, EMBED -> escrow;
    };
  }
}
