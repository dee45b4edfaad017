package io.rigmesh.libp2p.transport.quic;

import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicConnectionCloseEvent;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.handler.codec.quic.QuicStreamType;
import io.netty.util.concurrent.Future;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.MuxerSession;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The streams of one QUIC connection.
final class QuicSession implements MuxerSession {
  /// The application error code of an orderly goodbye.
  static final int NO_ERROR = 0;

  private static final int REASON_CHARACTERS_MAX = 200;

  private final QuicChannel connection;
  private final CompletableFuture<String> closed = new CompletableFuture<>();
  private volatile @Nullable String goodbye;

  QuicSession(QuicChannel connection) {
    this.connection = connection;
    connection.closeFuture().addListener(gone -> closed.complete(reason()));
  }

  QuicChannel connection() {
    return connection;
  }

  @Override
  public EventLoop eventLoop() {
    return connection.eventLoop();
  }

  @Override
  public CompletableFuture<DuplexChannel> open() {
    CompletableFuture<DuplexChannel> result = new CompletableFuture<>();
    // Never at once: how many streams the remote allows is known only after the packet that
    // established the connection has been worked off.
    connection.eventLoop().execute(() -> open(result));
    return result;
  }

  private void open(CompletableFuture<DuplexChannel> result) {
    if (result.isDone()) {
      return;
    }
    if (!connection.isActive()) {
      result.completeExceptionally(new Libp2pException("The connection is closed: " + reason()));
      return;
    }
    // Netty uses up a stream id even when the limit refuses it, after which no id would ever fit.
    if (connection.peerAllowedStreams(QuicStreamType.BIDIRECTIONAL) <= 0) {
      result.completeExceptionally(
          new Libp2pException("The remote allows no more open streams on this connection"));
      return;
    }
    StreamReceiver receiver = new StreamReceiver(null);
    connection
        .createStream(QuicStreamType.BIDIRECTIONAL, receiver)
        .addListener((Future<QuicStreamChannel> created) -> {
          QuicStream stream = receiver.stream();
          if (!created.isSuccess() || stream == null) {
            result.completeExceptionally(
                new Libp2pException(
                    "Cannot open a stream: " + Failures.message(created.cause()), created.cause()));
          } else if (!result.complete(stream)) {
            stream.reset();
          }
        });
    result.whenComplete((stream, failure) -> {
      QuicStream opened = receiver.stream();
      if (failure != null && opened != null) {
        opened.reset();
      }
    });
  }

  @Override
  public void reset(DuplexChannel stream) {
    ((QuicStream) stream).reset();
  }

  @Override
  public CompletableFuture<Void> close() {
    return close(NO_ERROR, "closed");
  }

  CompletableFuture<Void> close(int code, String reason) {
    if (goodbye == null) {
      goodbye = "closed by this host: " + reason;
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    connection
        .close(true, code, Unpooled.copiedBuffer(reason, StandardCharsets.UTF_8))
        .addListener(gone -> done.complete(null));
    return done;
  }

  @Override
  public CompletableFuture<String> closed() {
    return closed;
  }

  /// The remote has said why it closes.
  void remoteCloses(QuicConnectionCloseEvent event) {
    if (goodbye == null) {
      goodbye = reason(event);
    }
  }

  static String reason(QuicConnectionCloseEvent event) {
    String text = new String(reasonBytes(event), StandardCharsets.UTF_8).replaceAll("\\p{C}", "?");
    return "closed by the remote with "
        + (event.isApplicationClose() ? "code " : "transport error ")
        + event.error()
        + (text.isEmpty()
            ? ""
            : ": " + text.substring(0, Math.min(text.length(), REASON_CHARACTERS_MAX)));
  }

  private static byte[] reasonBytes(QuicConnectionCloseEvent event) {
    try {
      return event.reason();
    } catch (NullPointerException e) {
      // Netty 4.2.18 throws it where the remote gives no reason.
      return new byte[0];
    }
  }

  private String reason() {
    String said = goodbye;
    if (said != null) {
      return said;
    }
    return connection.isTimedOut()
        ? "nothing came from the remote until the idle timeout"
        : "the socket is closed";
  }
}
