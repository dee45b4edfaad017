package io.rigmesh.node.provider;

import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.pay.Till;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.scheduler.pricing.Pricing;
import java.time.Clock;
import java.util.function.Consumer;

/// The ways in which this node is paid for its work.
public final class Payments {
  private final EscrowPayment escrow;
  private final ChannelPayment channels;
  private final Proofs proofs;

  /// The ways of a node.
  ///
  /// @param key the account that the money is for
  public Payments(
      NodeConfig config,
      JobStore store,
      MilestoneStore milestones,
      Blobs blobs,
      ChainLink chain,
      AccountKey key,
      PayeeBook book,
      Pricing pricing,
      Clock clock) {
    Moves moves = new Moves(store, clock);
    this.proofs = new Proofs(config, store, milestones, blobs, chain, key, pricing, clock);
    this.escrow = new EscrowPayment(config, store, chain, key, proofs, moves);
    this.channels =
        new ChannelPayment(
            config.channels(),
            store,
            book,
            key.address(),
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

  /// What is proven and paid in parts.
  public Proofs proofs() {
    return proofs;
  }

  /// Says who hears that a job may have been paid.
  public void onPaid(Consumer<Hash> listener) {
    channels.onPaid(listener);
    proofs.onApproved(listener);
  }
}
