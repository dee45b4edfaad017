package io.rigmesh.node.pay;

import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;

/// Where a provider's job streams ask what to charge, and hand in what they are given. Safe for use
/// by several threads.
public interface Till {
  /// What a job costs; empty if no channel pays for it.
  Optional<Tariff> tariff(Job job);

  /// What a job's requester is to be told that it owes, if that is worth a message now.
  ///
  /// @param told what it was told last
  Optional<Due> due(Hash job, TokenAmount told);

  /// Takes a payment that came on a job's stream.
  Taking take(Hash job, Payment payment);

  /// A till of a node that no channel pays.
  Till NONE =
      new Till() {
        @Override
        public Optional<Tariff> tariff(Job job) {
          return Optional.empty();
        }

        @Override
        public Optional<Due> due(Hash job, TokenAmount told) {
          return Optional.empty();
        }

        @Override
        public Taking take(Hash job, Payment payment) {
          return new Taking.Refused("No channel pays for work here.");
        }
      };
}
