package io.rigmesh.node.store;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.ReceiptFile;
import java.util.Optional;
import java.util.OptionalLong;

/// A step of a job from one state to the next, with all that becomes true at the same moment.
///
/// @param next the state after it
/// @param closing what is then owed to the job's money
/// @param provider who computes it
/// @param peer the same as a peer of the network
/// @param startedAtSeconds when it began to run
/// @param completed what came out
/// @param channel what pays for it, where that is a channel
public record Transition(
    JobState next,
    Closing closing,
    Optional<Address> provider,
    Optional<PeerId> peer,
    OptionalLong startedAtSeconds,
    Optional<Completed> completed,
    Optional<ChannelTerms> channel) {

  /// What came out, in full.
  ///
  /// @param receipt the receipt and all that is needed to check it
  /// @param outputModel the root of the trained model's folder
  public record Completed(ReceiptFile receipt, Optional<Hash> outputModel) {}

  /// To a state, and nothing else.
  public static Transition to(JobState next) {
    return new Transition(
        next,
        Closing.NONE,
        Optional.empty(),
        Optional.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /// To a state after which the money has yet to go back.
  public Transition owing(Closing what) {
    return new Transition(next, what, provider, peer, startedAtSeconds, completed, channel);
  }

  /// To a state with a provider.
  public Transition by(Address who) {
    return new Transition(
        next, closing, Optional.of(who), peer, startedAtSeconds, completed, channel);
  }

  /// To a state with a provider who is a peer of the network.
  public Transition by(Address who, PeerId peer) {
    return new Transition(
        next, closing, Optional.of(who), Optional.of(peer), startedAtSeconds, completed, channel);
  }

  /// To a state that began at a time.
  public Transition since(long atSeconds) {
    return new Transition(
        next, closing, provider, peer, OptionalLong.of(atSeconds), completed, channel);
  }

  /// To a state with a result.
  public Transition with(ReceiptFile receipt, Optional<Hash> outputModel) {
    return new Transition(
        next,
        closing,
        provider,
        peer,
        startedAtSeconds,
        Optional.of(new Completed(receipt, outputModel)),
        channel);
  }

  /// To a state in which a channel pays for it.
  public Transition paidBy(ChannelTerms terms) {
    return new Transition(
        next, closing, provider, peer, startedAtSeconds, completed, Optional.of(terms));
  }
}
