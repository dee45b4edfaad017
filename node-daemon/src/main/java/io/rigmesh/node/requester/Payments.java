package io.rigmesh.node.requester;

import io.rigmesh.protocol.Job;

/// The ways in which this node pays for its jobs.
final class Payments {
  private final EscrowPayment escrow;

  Payments(EscrowPayment escrow) {
    this.escrow = escrow;
  }

  /// How a job is paid.
  Payment of(Job job) {
    return switch (job.task().kind()) {
      case TRAIN, GENERATE, EMBED -> escrow;
    };
  }
}
