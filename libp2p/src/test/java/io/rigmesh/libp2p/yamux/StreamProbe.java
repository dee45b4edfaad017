package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/// Notes all that a stream's handlers are told.
final class StreamProbe extends ChannelInboundHandlerAdapter {
  final DuplexChannel channel;
  final ByteArrayOutputStream received = new ByteArrayOutputStream();
  final List<Object> events = new ArrayList<>();
  final List<Throwable> failures = new ArrayList<>();
  int readCompletes;
  boolean inactive;

  StreamProbe(DuplexChannel channel) {
    this.channel = channel;
    channel.pipeline().addLast(this);
  }

  StreamProbe autoRead() {
    channel.config().setAutoRead(true);
    return this;
  }

  boolean ended() {
    return events.contains(ChannelInputShutdownEvent.INSTANCE);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    byte[] copy = new byte[bytes.readableBytes()];
    bytes.readBytes(copy);
    bytes.release();
    received.writeBytes(copy);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    readCompletes++;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent
        || event instanceof ChannelInputShutdownReadComplete) {
      events.add(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    failures.add(cause);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    inactive = true;
  }
}
