package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Acts on the frames of one connection: opens and accepts its streams, hands them what is theirs,
/// keeps the connection's own pings and farewells. Runs on the connection's event loop.
final class YamuxHandler extends ChannelInboundHandlerAdapter implements FrameReader.Sink {
  private static final Logger LOG = LoggerFactory.getLogger(YamuxHandler.class);

  private static final long GOODBYE_SECONDS_MAX = 2;

  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(128 * 1024, 512 * 1024);

  private final Channel parent;
  private final ConnectionScope scope;
  private final StreamAcceptor acceptor;
  private final YamuxConfig config;
  private final FrameReader reader = new FrameReader(this);
  private final StreamTable streams;
  private final FloodGuard flood = new FloodGuard(System.nanoTime());
  private final RoundTrip roundTrip = new RoundTrip();
  private final CompletableFuture<String> closed = new CompletableFuture<>();

  /// Streams that have something to say when the frames at hand are read.
  private final List<YamuxStream> batch = new ArrayList<>(4);

  private @Nullable FrameWriter writer;

  /// Whose payload is being read; null when it is dropped.
  private @Nullable YamuxStream receiving;

  private boolean endAfterData;
  private @Nullable Future<?> keepAlive;
  private boolean heard;
  private boolean remoteGoodbye;
  private boolean ended;
  private @Nullable String reason;

  YamuxHandler(
      Channel parent,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor acceptor,
      YamuxConfig config) {
    this.parent = parent;
    this.scope = scope;
    this.acceptor = acceptor;
    this.config = config;
    this.streams = new StreamTable(role, config.inboundStreamsMax());
  }

  CompletableFuture<String> closed() {
    return closed;
  }

  FrameWriter writer() {
    return Objects.requireNonNull(writer);
  }

  // ---- opening

  void open(CompletableFuture<DuplexChannel> opened) {
    String refusal = refusal();
    if (refusal != null) {
      opened.completeExceptionally(new Libp2pException("yamux: no new stream: " + refusal));
      return;
    }
    YamuxStream stream = add(streams.takeId(), true);
    if (opened.complete(stream)) {
      // The stream's first bytes carry its opening, when they are written by then.
      parent.eventLoop().execute(stream::announce);
    } else {
      stream.reset();
    }
  }

  private @Nullable String refusal() {
    if (ended || !parent.isActive()) {
      return reason == null ? "the connection is closed" : reason;
    }
    return remoteGoodbye ? "the remote has said goodbye" : streams.refusal();
  }

  private YamuxStream add(int streamId, boolean outbound) {
    YamuxStream stream = new YamuxStream(this, parent, streamId, outbound, config.windowBytesMax());
    streams.add(stream);
    parent.eventLoop().register(stream);
    return stream;
  }

  private void accept(int streamId) {
    if (!streams.admit(streamId)) {
      flood.expectStray(Frames.INITIAL_WINDOW_BYTES);
      writer().reset(streamId);
      return;
    }
    YamuxStream stream = add(streamId, false);
    batched(stream);
    try {
      acceptor.accept(stream);
    } catch (Libp2pException e) {
      LOG.debug("{} is refused: {}", stream, e.getMessage());
      stream.reset();
    } catch (RuntimeException e) {
      LOG.warn("{} could not be accepted", stream, e);
      stream.reset();
    }
  }

  void acknowledged(YamuxStream stream) {
    streams.acknowledge(stream);
  }

  // ---- receiving

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    heard = true;
    writer().beginRead();
    try {
      reader.read(bytes);
    } catch (PeerMisbehaviourException e) {
      fail(e);
    } finally {
      bytes.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    // By index: what the streams' handlers do may add to the batch.
    for (int i = 0; i < batch.size(); i++) {
      YamuxStream stream = batch.get(i);
      stream.endBatch();
      if (!stream.outbound()) {
        stream.announce();
      }
    }
    batch.clear();
    writer().endRead();
  }

  /// The stream wants to hear of the end of this batch of reads.
  void batched(YamuxStream stream) {
    batch.add(stream);
  }

  @Override
  public boolean ended() {
    return ended;
  }

  @Override
  public void data(int flags, int streamId, long length) {
    YamuxStream stream = begin(flags, streamId);
    if (stream == null) {
      flood.stray(streamId, length);
    } else {
      stream.expect(length);
      if (length == 0 && flags == 0) {
        flood.idleFrame(System.nanoTime());
      }
    }
    receiving = stream;
    endAfterData = (flags & Frames.FIN) != 0;
  }

  @Override
  public void payload(ByteBuf part) {
    if (receiving == null) {
      part.release();
    } else {
      receiving.receive(part);
    }
  }

  @Override
  public void dataEnd() {
    if (receiving != null && endAfterData) {
      receiving.remoteEnd();
    }
    receiving = null;
  }

  @Override
  public void windowUpdate(int flags, int streamId, long delta) {
    YamuxStream stream = begin(flags, streamId);
    if (stream == null) {
      return;
    }
    if (delta == 0 && flags == 0) {
      flood.idleFrame(System.nanoTime());
    }
    stream.widen(delta);
    if ((flags & Frames.FIN) != 0) {
      stream.remoteEnd();
    }
  }

  /// Acts on a frame's flags, except FIN; returns the stream that the rest of it is for, or null
  /// when that is gone.
  private @Nullable YamuxStream begin(int flags, int streamId) {
    if ((flags & Frames.SYN) != 0) {
      accept(streamId);
    }
    YamuxStream stream = streams.find(streamId);
    if (stream == null) {
      flood.idleFrame(System.nanoTime());
      return null;
    }
    if ((flags & Frames.ACK) != 0 && stream.outbound()) {
      streams.acknowledge(stream);
    }
    if ((flags & Frames.RST) != 0) {
      if (!stream.outbound()) {
        flood.reset(System.nanoTime());
      }
      stream.lost("the remote has reset the stream");
      return null;
    }
    return stream;
  }

  // ---- the connection's own frames

  @Override
  public void ping(int flags, int value) {
    long now = System.nanoTime();
    if ((flags & Frames.SYN) != 0) {
      if (flood.answersPing(now)) {
        writer().ping(Frames.ACK, value);
      }
    } else if (!roundTrip.answer(value, now)) {
      flood.idleFrame(now);
    }
  }

  private void sendPing() {
    writer().ping(Frames.SYN, roundTrip.ask(System.nanoTime()));
  }

  /// The last measured round trip; zero when none is known. Asking is what keeps it fresh.
  long roundTripNanos() {
    if (roundTrip.stale(System.nanoTime())) {
      sendPing();
    }
    return roundTrip.nanos();
  }

  private void keepAlive() {
    if (ended) {
      return;
    }
    if (heard) {
      heard = false;
    } else if (roundTrip.waiting()) {
      end("the remote has not answered a ping for " + config.keepAlive().toSeconds() + " s");
      parent.close();
      return;
    } else {
      sendPing();
    }
    scheduleKeepAlive();
  }

  private void scheduleKeepAlive() {
    long millis = config.keepAlive().toMillis();
    if (millis > 0) {
      keepAlive = parent.eventLoop().schedule(this::keepAlive, millis, TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void goAway(long code) {
    remoteGoodbye = true;
    if (code != Frames.NORMAL) {
      end(
          "the remote has ended the connection with code "
              + code
              + (code == Frames.PROTOCOL_ERROR ? " (protocol error)" : ""));
      parent.close();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    writer().writabilityChanged();
    context.fireChannelWritabilityChanged();
  }

  // ---- memory

  /// Counts memory before it is taken; false when a limit is reached.
  boolean reserve(long bytes) {
    try {
      scope.reserveMemory(bytes);
      return true;
    } catch (ResourceLimitException e) {
      LOG.debug("{} gets no more memory: {}", parent, e.getMessage());
      return false;
    }
  }

  void release(long bytes) {
    if (bytes > 0) {
      scope.releaseMemory(bytes);
    }
  }

  // ---- endings

  /// The stream takes no more frames; again is harmless.
  void forget(YamuxStream stream) {
    streams.remove(stream);
  }

  /// The stream's channel is closed.
  ///
  /// @param unsentBytes what the remote may have sent before it hears of that
  void closed(YamuxStream stream, boolean sendReset, long unsentBytes) {
    if (streams.remove(stream) && sendReset && !ended) {
      flood.expectStray(unsentBytes);
      writer().reset(stream.streamId());
    }
  }

  /// Says goodbye, then closes.
  void goodbye() {
    if (!ended) {
      sayAndClose(Frames.NORMAL, "this side closed the connection");
    }
  }

  private void fail(PeerMisbehaviourException cause) {
    if (!ended) {
      LOG.debug("{} is closed: {}", parent, cause.getMessage());
      sayAndClose(Frames.PROTOCOL_ERROR, Objects.requireNonNullElse(cause.getMessage(), "yamux"));
    }
  }

  private void sayAndClose(int code, String why) {
    end(why);
    if (!parent.isActive()) {
      parent.close();
      return;
    }
    writer().goAway(code).addListener(ChannelFutureListener.CLOSE);
    // A remote that does not read must not hold the socket open.
    parent.eventLoop().schedule(() -> parent.close(), GOODBYE_SECONDS_MAX, TimeUnit.SECONDS);
  }

  /// Nothing is read or written from here on; every stream learns the reason.
  private void end(String why) {
    if (ended) {
      return;
    }
    ended = true;
    reason = why;
    writer().stop();
    if (keepAlive != null) {
      keepAlive.cancel(false);
    }
    for (YamuxStream stream : streams.all()) {
      stream.lost(why);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    writer =
        new FrameWriter(
            context,
            () ->
                fail(
                    new PeerMisbehaviourException(
                        "yamux: the remote does not read the answers that it asks for")));
    if (!parent.isActive()) {
      end("the connection was closed before yamux began");
      closed.complete(Objects.requireNonNull(reason));
      return;
    }
    parent.config().setWriteBufferWaterMark(WATER_MARK);
    scheduleKeepAlive();
    sendPing();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      end("the remote closed the connection");
      context.close();
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof PeerMisbehaviourException misbehaviour) {
      fail(misbehaviour);
    } else {
      end(cause.getMessage() == null ? cause.toString() : cause.getMessage());
      context.close();
    }
    if (cause instanceof Error) {
      // A lack of memory, for one, is the whole process's business.
      context.fireExceptionCaught(cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    end("the remote closed the connection");
    closed.complete(Objects.requireNonNull(reason));
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    end("yamux was removed from the connection");
    closed.complete(Objects.requireNonNull(reason));
  }
}
