package io.rigmesh.libp2p.noise;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Runs a handshake over a channel, then puts [NoiseCodec] in its own place.
final class NoiseHandshakeHandler extends ChannelInboundHandlerAdapter {
  /// Longer handshake messages are refused: an honest one with an RSA key of 8,192 bits has under 3
  /// KiB.
  static final int MESSAGE_BYTES_MAX = 8 * 1024;

  private static final int LENGTH_BYTES = 2;
  private static final byte[] NO_PAYLOAD = {};

  private final XxHandshake handshake;
  private final Direction role;
  private final byte[] payload;
  private final List<String> muxers;
  private final @Nullable PeerId expected;
  private final CompletableFuture<NoiseSession> session = new CompletableFuture<>();
  private ByteBuf received = Unpooled.EMPTY_BUFFER;
  private @Nullable NoiseSession proven;
  private boolean ended;

  NoiseHandshakeHandler(
      XxHandshake handshake,
      Direction role,
      byte[] payload,
      List<String> muxers,
      @Nullable PeerId expected) {
    this.handshake = handshake;
    this.role = role;
    this.payload = payload;
    this.muxers = muxers;
    this.expected = expected;
  }

  CompletableFuture<NoiseSession> session() {
    return session;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (context.channel().isActive()) {
      start(context);
    } else if (!context.channel().isOpen()) {
      fail(context, new Libp2pException("noise: the channel was closed before the handshake"));
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    start(context);
    context.fireChannelActive();
  }

  private void start(ChannelHandlerContext context) {
    if (handshake.writesNext()) {
      write(context, handshake.write(NO_PAYLOAD));
      context.flush();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    if (ended) {
      bytes.release();
      return;
    }
    if (received.isReadable()) {
      received.writeBytes(bytes);
      bytes.release();
    } else {
      received.release();
      received = bytes;
    }
    try {
      readMessages(context);
    } catch (Libp2pException e) {
      fail(context, e);
      return;
    }
    if (proven != null) {
      finish(context, proven);
    } else if (!ended) {
      keepRest(context);
    }
  }

  private void readMessages(ChannelHandlerContext context) {
    while (!handshake.finished() && received.readableBytes() >= LENGTH_BYTES) {
      int length = received.getUnsignedShort(received.readerIndex());
      if (length > MESSAGE_BYTES_MAX) {
        throw new PeerMisbehaviourException(
            "noise: a handshake message of "
                + length
                + " bytes is over the limit of "
                + MESSAGE_BYTES_MAX);
      }
      if (received.readableBytes() < LENGTH_BYTES + length) {
        return;
      }
      byte[] message = new byte[length];
      received.skipBytes(LENGTH_BYTES).readBytes(message);
      byte[] theirs = handshake.read(message);
      // The first message has no payload to check, the other two carry the remote's proof.
      if (role == Direction.OUTBOUND || handshake.finished()) {
        proven = RemoteProof.check(theirs, handshake.remoteStatic(), role, muxers, expected);
      }
      if (handshake.writesNext()) {
        write(context, handshake.write(payload));
        if (!handshake.finished()) {
          context.flush();
        }
      }
    }
  }

  /// Copies an unfinished message out of the transport's large buffer; at most one is held, and it
  /// ends before the limit.
  private void keepRest(ChannelHandlerContext context) {
    int bytes = received.readableBytes();
    ByteBuf rest =
        bytes == 0
            ? Unpooled.EMPTY_BUFFER
            : context.alloc().heapBuffer(Math.max(bytes, 256)).writeBytes(received);
    received.release();
    received = rest;
  }

  private void finish(ChannelHandlerContext context, NoiseSession established) {
    ended = true;
    CipherState[] keys = handshake.split();
    ByteBuf rest = received;
    received = Unpooled.EMPTY_BUFFER;
    context.pipeline().replace(this, context.name(), new NoiseCodec(keys[0], keys[1]));
    session.complete(established);
    // The initiator's last message leaves with what its user has written by now.
    context.channel().flush();
    if (rest.isReadable()) {
      context.fireChannelRead(rest);
      context.fireChannelReadComplete();
    } else {
      rest.release();
    }
  }

  private static void write(ChannelHandlerContext context, byte[] message) {
    ByteBuf frame = context.alloc().ioBuffer(LENGTH_BYTES + message.length);
    frame.writeShort(message.length).writeBytes(message);
    context.write(frame, context.voidPromise());
  }

  private void fail(ChannelHandlerContext context, Throwable cause) {
    if (!ended) {
      ended = true;
      received.release();
      received = Unpooled.EMPTY_BUFFER;
      context.close();
      session.completeExceptionally(cause);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    context.fireChannelReadComplete();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      fail(context, ended(context));
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    fail(context, ended(context));
    context.fireChannelInactive();
  }

  private static Libp2pException ended(ChannelHandlerContext context) {
    return new Libp2pException(
        "noise: the connection to "
            + context.channel().remoteAddress()
            + " was closed during the handshake");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    boolean first = !ended;
    fail(
        context,
        cause instanceof Libp2pException
            ? cause
            : new Libp2pException("noise: the handshake failed: " + cause.getMessage(), cause));
    // Errors such as a lack of memory are the whole process's business, too.
    if (!first || cause instanceof Error) {
      context.fireExceptionCaught(cause);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (!ended) {
      fail(context, new Libp2pException("noise: its handler was removed during the handshake"));
    }
  }
}
