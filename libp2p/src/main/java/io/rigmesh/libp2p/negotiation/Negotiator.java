package io.rigmesh.libp2p.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.StreamResetException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// What both sides of multistream-select share: gathers lines, and gets out of the way when it is
/// done.
///
/// Bytes that follow the last line stay here until the handlers behind ask to read (or, in a
/// pipeline that reads by itself, until the outcome has been heard), so that none is lost before
/// somebody listens.
abstract class Negotiator extends ChannelDuplexHandler {
  private final CompletableFuture<String> agreed;
  private final boolean heldUntilRead;
  private @Nullable ByteBuf gathered;
  private boolean spoken;
  private boolean handedOver;
  private boolean wanted;
  private boolean failed;
  private final List<Object> heldEvents = new ArrayList<>();

  /// @param agreed completes, on the event loop, with the protocol
  /// @param heldUntilRead whether what follows waits for an explicit read
  Negotiator(CompletableFuture<String> agreed, boolean heldUntilRead) {
    this.agreed = agreed;
    this.heldUntilRead = heldUntilRead;
  }

  /// A line has come.
  ///
  /// @return the protocol when this ends the negotiation
  abstract @Nullable String line(ChannelHandlerContext context, String line);

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (context.channel().isActive()) {
      context.read();
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    context.fireChannelActive();
    context.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    ByteBuf before = gathered;
    if (before == null) {
      gathered = bytes;
    } else {
      gathered =
          context
              .alloc()
              .buffer(before.readableBytes() + bytes.readableBytes())
              .writeBytes(before)
              .writeBytes(bytes);
      before.release();
      bytes.release();
    }
    if (spoken) {
      return;
    }
    String protocol = null;
    try {
      while (protocol == null) {
        String line = gathered == null ? null : Lines.take(gathered);
        if (line == null) {
          break;
        }
        protocol = line(context, line);
      }
    } catch (Libp2pException e) {
      fail(context, e);
      return;
    }
    if (protocol != null) {
      spoken = true;
      agreed.complete(protocol);
      if (!heldUntilRead || wanted) {
        handOver(context);
      }
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    context.fireChannelReadComplete();
    if (!spoken) {
      context.read();
    }
  }

  @Override
  public void read(ChannelHandlerContext context) {
    wanted = true;
    context.read();
    if (spoken && heldUntilRead && !handedOver) {
      handOver(context);
    }
  }

  /// Leaves the pipeline; what was gathered behind the last line goes on first.
  private void handOver(ChannelHandlerContext context) {
    handedOver = true;
    ByteBuf rest = gathered;
    gathered = null;
    if (rest != null && rest.isReadable()) {
      context.fireChannelRead(rest);
      context.fireChannelReadComplete();
    } else {
      if (rest != null) {
        rest.release();
      }
      // The wish to read that this handler used up for itself is passed on.
      context.read();
    }
    heldEvents.forEach(context::fireUserEventTriggered);
    heldEvents.clear();
    if (!context.isRemoved()) {
      context.pipeline().remove(this);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent && !spoken) {
      fail(
          context,
          new PeerMisbehaviourException(
              "multistream-select: the remote ended the stream before a protocol was agreed"));
    } else if (spoken && !handedOver && !failed) {
      // The end must not overtake the bytes before it.
      heldEvents.add(event);
    } else {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    agreed.completeExceptionally(cause);
    context.fireExceptionCaught(cause);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    agreed.completeExceptionally(
        new StreamResetException(
            "multistream-select: the remote closed before a protocol was agreed"));
    if (spoken && !handedOver && !failed) {
      handOver(context);
    }
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (gathered != null) {
      gathered.release();
      gathered = null;
    }
    agreed.completeExceptionally(
        new StreamResetException(
            "multistream-select: the stream was closed before a protocol was agreed"));
  }

  /// Ends in failure: whoever waits hears of it, and the handlers behind too.
  final void fail(ChannelHandlerContext context, Libp2pException cause) {
    spoken = true;
    failed = true;
    agreed.completeExceptionally(cause);
    // Whoever comes to the stream later still learns why it has gone.
    context.channel().attr(Multistream.FAILURE).set(cause);
    if (!context.pipeline().lastContext().name().equals(context.name())) {
      // Without a handler behind, Netty would log at the remote's will.
      context.fireExceptionCaught(cause);
    }
    context.close();
  }
}
