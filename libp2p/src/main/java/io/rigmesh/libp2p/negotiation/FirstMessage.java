package io.rigmesh.libp2p.negotiation;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.multiformats.Varint;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Takes one message with its varint length off a stream's channel and gets out of the way: for
/// streams that carry something else after it, such as a relayed connection.
///
/// What follows the message, bytes as well as the remote's end, stays here until the channel is
/// asked to read, so that whoever takes over misses nothing.
public final class FirstMessage extends ChannelDuplexHandler {
  /// A length of more bytes stands for no message that fits into memory.
  private static final int LENGTH_BYTES_MAX = 5;

  private final CompletableFuture<byte[]> message = new CompletableFuture<>();
  private final String protocol;
  private final int bytesMax;
  private @Nullable ByteBuf gathered;
  private boolean taken;
  private boolean handedOver;
  private boolean endedBehind;

  private FirstMessage(String protocol, int bytesMax) {
    this.protocol = protocol;
    this.bytesMax = bytesMax;
  }

  /// Starts to read; call on the channel's event loop, where the future completes too. On failure
  /// the channel is left as it is: whoever asked closes or resets it.
  ///
  /// @param protocol whom the message of a failure names
  public static CompletableFuture<byte[]> read(
      Channel channel, String protocol, int bytesMax, Duration timeout) {
    FirstMessage handler = new FirstMessage(protocol, bytesMax);
    if (!channel.isActive()) {
      handler.message.completeExceptionally(
          new StreamResetException(protocol + ": the stream was closed before a message came"));
      return handler.message;
    }
    var timer =
        channel
            .eventLoop()
            .schedule(
                () ->
                    handler.message.completeExceptionally(
                        new StreamTimeoutException(
                            protocol + ": no message came within " + timeout.toMillis() + " ms")),
                timeout.toNanos(),
                TimeUnit.NANOSECONDS);
    handler.message.whenComplete((bytes, failure) -> timer.cancel(false));
    channel.pipeline().addLast(handler);
    return handler.message;
  }

  /// A message with its length before it, as it is written.
  public static ByteBuf framed(MessageLite message) {
    byte[] bytes = message.toByteArray();
    return Unpooled.wrappedBuffer(Varint.encode(bytes.length), bytes);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    context.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object part) {
    gather(context, (ByteBuf) part);
    if (taken || message.isDone()) {
      return;
    }
    byte[] whole;
    try {
      whole = take();
    } catch (PeerMisbehaviourException e) {
      message.completeExceptionally(e);
      return;
    }
    if (whole != null) {
      taken = true;
      message.complete(whole);
    }
  }

  private void gather(ChannelHandlerContext context, ByteBuf bytes) {
    ByteBuf before = gathered;
    if (before == null) {
      gathered = bytes;
      return;
    }
    gathered =
        context
            .alloc()
            .buffer(before.readableBytes() + bytes.readableBytes())
            .writeBytes(before)
            .writeBytes(bytes);
    before.release();
    bytes.release();
  }

  /// The message, once it is whole.
  private byte @Nullable [] take() {
    ByteBuf bytes = gathered;
    if (bytes == null) {
      return null;
    }
    long length = 0;
    for (int i = 0; i < bytes.readableBytes(); i++) {
      int b = bytes.getByte(bytes.readerIndex() + i);
      length |= (long) (b & 0x7f) << (7 * i);
      if (length > bytesMax) {
        throw new PeerMisbehaviourException(
            protocol + ": a message of at least " + length + " bytes is over " + bytesMax);
      }
      if (b >= 0) {
        if (bytes.readableBytes() - i - 1 < length) {
          return null;
        }
        byte[] out = new byte[(int) length];
        bytes.skipBytes(i + 1).readBytes(out);
        return out;
      }
      if (i + 1 == LENGTH_BYTES_MAX) {
        throw new PeerMisbehaviourException(protocol + ": a message's length is over five bytes");
      }
    }
    return null;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (!message.isDone()) {
      context.read();
    }
  }

  @Override
  public void read(ChannelHandlerContext context) {
    context.read();
    if (taken && !handedOver) {
      handOver(context);
    }
  }

  private void handOver(ChannelHandlerContext context) {
    handedOver = true;
    ByteBuf rest = gathered;
    gathered = null;
    if (rest != null && rest.isReadable()) {
      context.fireChannelRead(rest);
    } else if (rest != null) {
      rest.release();
    }
    // Whoever read asks for more only when the read it has asked for is complete.
    context.fireChannelReadComplete();
    if (endedBehind) {
      context.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
    if (!context.isRemoved()) {
      context.pipeline().remove(this);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent && !handedOver) {
      endedBehind = true;
      message.completeExceptionally(
          new PeerMisbehaviourException(
              protocol + ": the remote ended the stream where a message was due"));
      return;
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    message.completeExceptionally(
        cause instanceof Libp2pException known
            ? known
            : new Libp2pException(protocol + ": reading failed", cause));
    context.fireExceptionCaught(cause);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    message.completeExceptionally(
        new StreamResetException(protocol + ": the stream was closed before a message came"));
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (gathered != null) {
      gathered.release();
      gathered = null;
    }
    message.completeExceptionally(
        new StreamResetException(protocol + ": the stream was closed before a message came"));
  }
}
