package io.rigmesh.node.requester;

import io.rigmesh.protocol.Job;

/// The ways in which this node pays for its jobs.
final class Payments {
  private final EscrowPayment escrow;
  private final ChannelPayment channels;

  Payments(EscrowPayment escrow, ChannelPayment channels) {
    this.escrow = escrow;
    this.channels = channels;
  }

  /// How a job is paid.
  Payment of(Job job) {
    return switch (job.task().kind().paidBy()) {
      case ESCROW -> escrow;
      case CHANNEL -> channels;
    };
  }
}
