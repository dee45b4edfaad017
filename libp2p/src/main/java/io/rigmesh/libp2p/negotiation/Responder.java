package io.rigmesh.libp2p.negotiation;

import io.netty.channel.ChannelHandlerContext;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Answers proposals until one is spoken here.
final class Responder extends Negotiator {
  /// More proposals than this on one stream are a nuisance, not a negotiation.
  static final int PROPOSALS_MAX = 64;

  private final Predicate<String> spoken;
  private int proposals;
  private boolean headerSeen;

  Responder(Predicate<String> spoken, CompletableFuture<String> agreed, boolean heldUntilRead) {
    super(agreed, heldUntilRead);
    this.spoken = spoken;
  }

  @Override
  @Nullable String line(ChannelHandlerContext context, String line) {
    if (!headerSeen) {
      if (!line.equals(Lines.HEADER)) {
        throw new PeerMisbehaviourException(
            "multistream-select: the remote does not speak " + Lines.HEADER);
      }
      headerSeen = true;
      context.write(Lines.encode(context.alloc(), Lines.HEADER));
      return null;
    }
    if (++proposals > PROPOSALS_MAX) {
      throw new PeerMisbehaviourException(
          "multistream-select: over " + PROPOSALS_MAX + " proposals on one stream");
    }
    if (spoken.test(line)) {
      context.writeAndFlush(Lines.encode(context.alloc(), line));
      return line;
    }
    context.writeAndFlush(Lines.encode(context.alloc(), Lines.NOT_AVAILABLE));
    return null;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    // A header without a proposal is answered by itself: the remote may wait for it.
    context.flush();
    super.channelReadComplete(context);
  }
}
