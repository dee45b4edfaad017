package io.rigmesh.libp2p.transport.quic;

import io.netty.channel.Channel;
import io.netty.handler.codec.quic.QuicStreamChannel;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes Netty's connection drop a stream that has ended without the remote's end (a reset by
/// either side): by itself it keeps such streams until the connection ends (seen in 4.2.18), and a
/// remote could open and reset streams until this host's memory is gone. The method for it is not
/// public.
final class ClosedStreams {
  private static final Logger LOG = LoggerFactory.getLogger(ClosedStreams.class);
  private static final @Nullable MethodHandle STREAM_CLOSED = streamClosed();

  private ClosedStreams() {}

  /// Called on the connection's event loop, after the stream is closed here.
  static void forget(QuicStreamChannel stream) {
    MethodHandle streamClosed = STREAM_CLOSED;
    if (streamClosed == null) {
      return;
    }
    try {
      streamClosed.invoke((Channel) stream.parent(), stream.streamId());
    } catch (Throwable e) {
      throw new IllegalStateException("Netty's QUIC connection does not drop a stream", e);
    }
  }

  private static @Nullable MethodHandle streamClosed() {
    try {
      Class<?> type = Class.forName("io.netty.handler.codec.quic.QuicheQuicChannel");
      return MethodHandles.privateLookupIn(type, MethodHandles.lookup())
          .findVirtual(type, "streamClosed", MethodType.methodType(void.class, long.class))
          .asType(MethodType.methodType(void.class, Channel.class, long.class));
    } catch (ReflectiveOperationException e) {
      LOG.warn(
          "This Netty keeps every reset QUIC stream in memory until its connection ends: {}",
          e.toString());
      return null;
    }
  }

  /// Whether closed streams can be dropped.
  static boolean possible() {
    return STREAM_CLOSED != null;
  }
}
