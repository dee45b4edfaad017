package io.rigmesh.libp2p.transport.quic;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.handler.codec.quic.QuicStreamChannelConfig;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import org.jspecify.annotations.Nullable;

/// Stands in the pipeline of Netty's QUIC stream, the carrier, and passes what it reads to the
/// stream above it.
///
/// A stream that the remote opens comes to the acceptor with its first byte. One that ends before
/// is answered with an end and goes no further: nothing can be asked on it, and with it [KeepAlive]
/// keeps a connection open.
final class StreamReceiver extends ChannelInboundHandlerAdapter {
  private final @Nullable StreamAcceptor acceptor;
  private @Nullable QuicStream stream;

  /// @param acceptor for a stream that the remote opens; null for one that is opened here
  StreamReceiver(@Nullable StreamAcceptor acceptor) {
    this.acceptor = acceptor;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    QuicStreamChannelConfig config = (QuicStreamChannelConfig) context.channel().config();
    config.setAutoRead(false);
    config.setAllowHalfClosure(true);
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (acceptor == null) {
      open(context);
    }
    context.read();
  }

  /// The stream above; null when there is none (yet).
  @Nullable QuicStream stream() {
    return stream;
  }

  private QuicStream open(ChannelHandlerContext context) {
    QuicStream opened = new QuicStream((QuicStreamChannel) context.channel());
    stream = opened;
    context.channel().eventLoop().register(opened);
    return opened;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    QuicStream receiving = stream;
    if (receiving == null) {
      receiving = open(context);
      if (acceptor != null) {
        acceptor.accept(receiving);
      }
    }
    receiving.received((ByteBuf) message);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      if (stream != null) {
        stream.remoteEnded();
      } else {
        ((QuicStreamChannel) context.channel()).shutdownOutput();
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (stream != null) {
      stream.lost("the remote has reset the stream");
    } else {
      QuicStreamChannel carrier = (QuicStreamChannel) context.channel();
      carrier.shutdown(QuicStream.NO_ERROR);
      carrier.close();
      ClosedStreams.forget(carrier);
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (stream != null) {
      stream.writeOn();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (stream != null) {
      stream.carrierGone();
    }
  }
}
