package io.rigmesh.node.pay;

import com.google.protobuf.ByteString;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import java.util.Optional;

/// Where a provider's job streams find milestones to tell, and hand approvals in. Safe for use by
/// several threads.
public interface Milestones {
  /// The next milestone of a job that its requester is to be told; the last is the job's receipt
  /// and is not among these.
  ///
  /// @param after the number of the one that it was told last
  Optional<Reached> next(Hash job, int after);

  /// A milestone that was reached.
  ///
  /// @param number which one, from 1
  /// @param receipt its `receipt.json`
  record Reached(int number, ByteString receipt) {}

  /// Takes an approval that came on a job's stream.
  ///
  /// @return why it is worth nothing, or empty if it was taken
  Optional<String> approve(Hash job, int milestone, Signature signature);

  /// Those of a node that reaches none.
  Milestones NONE =
      new Milestones() {
        @Override
        public Optional<Reached> next(Hash job, int after) {
          return Optional.empty();
        }

        @Override
        public Optional<String> approve(Hash job, int milestone, Signature signature) {
          return Optional.of("No escrow pays for work here.");
        }
      };
}
