package io.rigmesh.libp2p.negotiation;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.rigmesh.libp2p.Libp2pException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/// multistream-select 1.0 on a Netty channel (connections specification, "Protocol Negotiation").
/// The futures complete on the channel's event loop; on failure the channel is closed by this.
public final class Multistream {
  /// Why the negotiation on a channel failed; nothing when it did not.
  public static final AttributeKey<Libp2pException> FAILURE =
      AttributeKey.valueOf(Multistream.class, "failure");

  private Multistream() {}

  /// What follows the negotiation on a channel.
  public enum Then {
    /// Handlers added while the outcome is heard get every byte that follows.
    PASS_ON,
    /// Bytes that follow wait until the channel is asked to read.
    HOLD_UNTIL_READ
  }

  /// Proposes protocols; call on the event loop. With one protocol the future is complete at once
  /// and the proposal travels with the first bytes written; a refusal then comes as an exception
  /// through the pipeline, and the channel closes.
  public static CompletableFuture<String> propose(
      Channel channel, List<String> protocols, Then then) {
    CompletableFuture<String> agreed = new CompletableFuture<>();
    channel.pipeline().addLast(new Initiator(protocols, agreed, then == Then.HOLD_UNTIL_READ));
    return agreed;
  }

  /// Answers proposals; call on the event loop.
  public static CompletableFuture<String> answer(
      Channel channel, Predicate<String> spoken, Then then) {
    CompletableFuture<String> agreed = new CompletableFuture<>();
    channel.pipeline().addLast(new Responder(spoken, agreed, then == Then.HOLD_UNTIL_READ));
    return agreed;
  }
}
