package io.rigmesh.libp2p.negotiation;

import io.netty.channel.ChannelHandlerContext;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Proposes protocols in order until the remote echoes one.
///
/// With a single protocol nothing is waited for: the header and the proposal wait in the channel
/// for the first bytes that are written (or for the flush that follows at once), and the remote's
/// answer is checked when it comes.
final class Initiator extends Negotiator {
  private final List<String> protocols;
  private final CompletableFuture<String> agreed;
  private int proposed;
  private boolean begun;
  private boolean headerSeen;

  Initiator(List<String> protocols, CompletableFuture<String> agreed, boolean heldUntilRead) {
    super(agreed, heldUntilRead);
    this.protocols = List.copyOf(protocols);
    this.agreed = agreed;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    super.handlerAdded(context);
    if (context.channel().isActive()) {
      propose(context);
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    super.channelActive(context);
    propose(context);
  }

  private void propose(ChannelHandlerContext context) {
    // A channel that has just connected is active already when it says so.
    if (begun) {
      return;
    }
    begun = true;
    context.write(Lines.encode(context.alloc(), Lines.HEADER, protocols.getFirst()));
    if (protocols.size() == 1) {
      agreed.complete(protocols.getFirst());
      context.executor().execute(context::flush);
    } else {
      context.flush();
    }
  }

  @Override
  @Nullable String line(ChannelHandlerContext context, String line) {
    if (!headerSeen) {
      if (!line.equals(Lines.HEADER)) {
        throw new PeerMisbehaviourException(
            "multistream-select: the remote does not speak " + Lines.HEADER);
      }
      headerSeen = true;
      return null;
    }
    if (line.equals(protocols.get(proposed))) {
      return line;
    }
    if (!line.equals(Lines.NOT_AVAILABLE)) {
      throw new PeerMisbehaviourException(
          "multistream-select: the remote answered with a protocol that was not proposed");
    }
    proposed++;
    if (proposed == protocols.size()) {
      throw new ProtocolRefusedException(
          "The remote speaks none of " + String.join(", ", protocols));
    }
    context.writeAndFlush(Lines.encode(context.alloc(), protocols.get(proposed)));
    return null;
  }
}
