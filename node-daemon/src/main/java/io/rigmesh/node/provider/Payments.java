package io.rigmesh.node.provider;

import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.pay.Till;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.scheduler.pricing.Pricing;
import java.time.Clock;
import java.util.function.Consumer;

/// The ways in which this node is paid for its work.
public final class Payments {
  private final EscrowPayment escrow;
  private final ChannelPayment channels;

  /// The ways of a node.
  ///
  /// @param account whom the money is for
  public Payments(
      NodeConfig config,
      JobStore store,
      ChainLink chain,
      Address account,
      PayeeBook book,
      Pricing pricing,
      Clock clock) {
    Moves moves = new Moves(store, clock);
    this.escrow = new EscrowPayment(config, store, chain, account, moves, clock);
    this.channels =
        new ChannelPayment(
            config.channels(),
            store,
            book,
            account,
            chain.contracts().token(),
            pricing,
            moves,
            clock);
  }

  /// How a job is paid.
  Payment of(Job job) {
    return switch (job.task().kind().paidBy()) {
      case ESCROW -> escrow;
      case CHANNEL -> channels;
    };
  }

  /// What job streams ask and hand vouchers to.
  public Till till() {
    return channels;
  }

  /// Says who hears that a job may have been paid.
  public void onPaid(Consumer<Hash> listener) {
    channels.onPaid(listener);
  }
}
