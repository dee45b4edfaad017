package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The streams of one connection: takes frames apart for them and puts theirs together, one frame a
/// stream in turn, as long as the connection is writable. Runs on the connection's event loop.
final class YamuxHandler extends ChannelDuplexHandler implements FrameReader.Sink {
  private static final Logger LOG = LoggerFactory.getLogger(YamuxHandler.class);

  /// The specification's bound on streams that the other side has not yet acknowledged.
  static final int ACK_BACKLOG_MAX = 256;

  /// Answers that may wait while the remote does not read; more, and it is disconnected.
  private static final int ANSWER_BYTES_MAX = 128 * 1024;

  /// Data for streams that are gone may come in this amount on top of what their windows allowed.
  private static final long STRAY_BYTES_MAX = 256 * 1024;

  /// Well above what short streams leave behind: frames that cross a stream's end on the wire.
  private static final int IDLE_FRAMES_BURST = 20_000;

  private static final int IDLE_FRAMES_PER_SECOND = 10_000;

  private static final int RESETS_BURST = 2_000;
  private static final int RESETS_PER_SECOND = 500;

  /// Frames below this size are written as one buffer with their header.
  private static final int COPIED_BYTES_MAX = 1024;

  private static final long GOODBYE_SECONDS_MAX = 2;
  private static final long ROUND_TRIP_VALID_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(128 * 1024, 512 * 1024);

  private final Channel parent;
  private final ConnectionScope scope;
  private final StreamAcceptor acceptor;
  private final YamuxConfig config;
  private final FrameReader reader = new FrameReader(this);
  private final IntObjectMap<YamuxStream> streams = new IntObjectHashMap<>(8);
  private final RemoteStreamIds remoteIds;
  private final ArrayDeque<YamuxStream> line = new ArrayDeque<>(4);
  private final List<YamuxStream> batch = new ArrayList<>(4);
  private final CompletableFuture<String> closed = new CompletableFuture<>();

  /// Pings that are answered.
  private final TokenBucket pings;

  /// Frames that bring nothing: over this rate the remote only means to keep this side busy.
  private final TokenBucket idleFrames;

  /// Streams that the remote opens and resets: each costs more to make than to ask for.
  private final TokenBucket resets;

  private @Nullable ChannelHandlerContext context;
  private long nextId;
  private int inbound;
  private int outboundUnacknowledged;
  private int inboundUnacknowledged;
  private long strayBytes = STRAY_BYTES_MAX;
  private int answerBytes;

  private @Nullable YamuxStream receiving;
  private boolean endAfterData;

  private boolean inRead;
  private boolean writing;
  private boolean flushDue;

  private @Nullable Future<?> keepAlive;
  private boolean heard;
  private int pingValue;
  private long pingSentNanos;
  private boolean pingPending;
  private long roundTripNanos;
  private long roundTripMeasuredNanos;

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
    this.nextId = role == Direction.OUTBOUND ? 1 : 2;
    this.remoteIds = new RemoteStreamIds(role == Direction.INBOUND);
    long now = System.nanoTime();
    this.pings = new TokenBucket(64, 16, now);
    this.resets = new TokenBucket(RESETS_BURST, RESETS_PER_SECOND, now);
    this.idleFrames = new TokenBucket(IDLE_FRAMES_BURST, IDLE_FRAMES_PER_SECOND, now);
  }

  CompletableFuture<String> closed() {
    return closed;
  }

  // ---- opening

  void open(CompletableFuture<DuplexChannel> opened) {
    String refusal = refusal();
    if (refusal != null) {
      opened.completeExceptionally(new Libp2pException("yamux: no new stream: " + refusal));
      return;
    }
    YamuxStream stream = new YamuxStream(this, parent, (int) nextId, true, config.windowBytesMax());
    nextId += 2;
    streams.put(stream.streamId(), stream);
    outboundUnacknowledged++;
    parent.eventLoop().register(stream);
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
    if (remoteGoodbye) {
      return "the remote has said goodbye";
    }
    if (nextId > 0xffff_ffffL) {
      return "the connection's stream ids are used up";
    }
    if (outboundUnacknowledged >= ACK_BACKLOG_MAX) {
      return ACK_BACKLOG_MAX + " streams wait for the remote to acknowledge them";
    }
    return null;
  }

  private void accept(int streamId) {
    if (!remoteIds.take(Integer.toUnsignedLong(streamId))) {
      throw new PeerMisbehaviourException(
          "yamux: the remote opened stream "
              + Integer.toUnsignedString(streamId)
              + ", an id that is not its own or was used before");
    }
    if (inbound >= config.inboundStreamsMax()
        || inboundUnacknowledged >= ACK_BACKLOG_MAX
        || ended) {
      useless();
      strayBytes += Frames.INITIAL_WINDOW_BYTES;
      writeControl(Frames.WINDOW_UPDATE, Frames.RST, streamId, 0);
      return;
    }
    YamuxStream stream = new YamuxStream(this, parent, streamId, false, config.windowBytesMax());
    streams.put(streamId, stream);
    inbound++;
    inboundUnacknowledged++;
    parent.eventLoop().register(stream);
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

  /// An inbound stream's acknowledgement is on its way.
  void answered() {
    inboundUnacknowledged--;
  }

  // ---- receiving

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    inRead = true;
    heard = true;
    try {
      reader.read(bytes);
    } catch (PeerMisbehaviourException e) {
      fail(e);
    } finally {
      bytes.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    // By index: what the streams' handlers do may add to the batch.
    for (int i = 0; i < batch.size(); i++) {
      YamuxStream stream = batch.get(i);
      stream.endBatch();
      if (!stream.outbound()) {
        stream.announce();
      }
    }
    batch.clear();
    inRead = false;
    if (flushDue) {
      flushDue = false;
      ctx.flush();
    }
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
      strayBytes -= length;
      if (strayBytes < 0) {
        throw new PeerMisbehaviourException(
            "yamux: data of "
                + length
                + " bytes for stream "
                + Integer.toUnsignedString(streamId)
                + ", which is closed, after its window was used up");
      }
    } else if (!stream.window().take(length)) {
      throw new PeerMisbehaviourException(
          "yamux: data of "
              + length
              + " bytes for stream "
              + Integer.toUnsignedString(streamId)
              + ", whose window has "
              + stream.window().available());
    } else if (length > 0 && stream.remoteEnded()) {
      throw new PeerMisbehaviourException(
          "yamux: data for stream " + Integer.toUnsignedString(streamId) + " after its end");
    }
    if (length == 0 && flags == 0) {
      useless();
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
      useless();
    }
    if (!stream.widen(delta)) {
      throw new PeerMisbehaviourException(
          "yamux: the window of stream " + Integer.toUnsignedString(streamId) + " grew over 4 GiB");
    }
    if ((flags & Frames.FIN) != 0) {
      stream.remoteEnd();
    }
  }

  /// Acts on a frame's flags, except FIN; returns the stream that the rest of it is for, or null
  /// when that is gone.
  private @Nullable YamuxStream begin(int flags, int streamId) {
    YamuxStream stream = streams.get(streamId);
    if ((flags & Frames.SYN) != 0) {
      if (stream != null) {
        throw new PeerMisbehaviourException(
            "yamux: the remote opened stream " + Integer.toUnsignedString(streamId) + " twice");
      }
      accept(streamId);
      stream = streams.get(streamId);
    }
    if (stream == null) {
      long id = Integer.toUnsignedLong(streamId);
      if (remoteIds.owns(id) ? !remoteIds.reached(id) : id >= nextId) {
        throw new PeerMisbehaviourException(
            "yamux: a frame for stream " + id + ", which was never opened");
      }
      useless();
      return null;
    }
    if ((flags & Frames.ACK) != 0 && stream.outbound()) {
      acknowledge(stream);
    }
    if ((flags & Frames.RST) != 0) {
      if (!stream.outbound() && !resets.take(System.nanoTime())) {
        throw new PeerMisbehaviourException(
            "yamux: over "
                + RESETS_PER_SECOND
                + " streams a second that the remote opens only to reset them");
      }
      stream.lost("the remote has reset the stream");
      return null;
    }
    return stream;
  }

  private void acknowledge(YamuxStream stream) {
    if (!stream.acknowledged()) {
      stream.setAcknowledged();
      outboundUnacknowledged--;
    }
  }

  private void useless() {
    if (!idleFrames.take(System.nanoTime())) {
      throw new PeerMisbehaviourException(
          "yamux: over "
              + IDLE_FRAMES_PER_SECOND
              + " frames a second that carry nothing: pings, resets, frames for streams that are"
              + " gone");
    }
  }

  // ---- pings

  @Override
  public void ping(int flags, int value) {
    if ((flags & Frames.SYN) != 0) {
      useless();
      if (pings.take(System.nanoTime())) {
        writeControl(Frames.PING, Frames.ACK, 0, value);
      }
    } else if (pingPending && value == pingValue) {
      long now = System.nanoTime();
      roundTripNanos = Math.max(1, now - pingSentNanos);
      roundTripMeasuredNanos = now;
      pingPending = false;
    } else {
      useless();
    }
  }

  private void sendPing() {
    pingValue++;
    pingPending = true;
    pingSentNanos = System.nanoTime();
    writeControl(Frames.PING, Frames.SYN, 0, pingValue);
  }

  /// The last measured round trip; zero when none is known. Asking is what keeps it fresh.
  long roundTripNanos() {
    if (!pingPending && System.nanoTime() - roundTripMeasuredNanos > ROUND_TRIP_VALID_NANOS) {
      sendPing();
    }
    return roundTripNanos;
  }

  private void keepAlive() {
    if (ended) {
      return;
    }
    if (heard) {
      heard = false;
    } else if (pingPending) {
      end("the remote has been silent for " + 2 * config.keepAlive().toSeconds() + " s");
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

  // ---- sending

  /// Gives the stream its place in the line of those with something to send, and lets the line go.
  void schedule(YamuxStream stream) {
    if (!stream.scheduled()) {
      stream.setScheduled(true);
      line.add(stream);
    }
    writeLine();
  }

  private void writeLine() {
    if (writing || ended) {
      return;
    }
    writing = true;
    try {
      while (parent.isWritable()) {
        YamuxStream stream = line.poll();
        if (stream == null) {
          break;
        }
        stream.setScheduled(false);
        if (stream.writeTurn() && !stream.scheduled()) {
          stream.setScheduled(true);
          line.add(stream);
        }
      }
    } finally {
      writing = false;
    }
    flushSoon();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (parent.isWritable()) {
      answerBytes = 0;
      writeLine();
    }
    ctx.fireChannelWritabilityChanged();
  }

  /// Writes one data frame from the head of a stream's outbound buffer.
  ///
  /// @return how many bytes it carries; 0 when there are none to send
  int writeData(YamuxStream stream, ChannelOutboundBuffer out, int bytesMax) {
    List<ByteBuf> parts = new ArrayList<>(4);
    int[] count = {0};
    try {
      out.forEachFlushedMessage(message -> {
        ByteBuf bytes = (ByteBuf) message;
        int part = Math.min(bytes.readableBytes(), bytesMax - count[0]);
        if (part > 0) {
          parts.add(bytes.slice(bytes.readerIndex(), part));
          count[0] += part;
        }
        return count[0] < bytesMax;
      });
    } catch (Exception e) {
      throw new IllegalStateException("Reading an outbound buffer does not fail", e);
    }
    int length = count[0];
    if (length == 0) {
      return 0;
    }
    ChannelHandlerContext to = Objects.requireNonNull(context);
    boolean small = length <= COPIED_BYTES_MAX;
    ByteBuf frame = to.alloc().heapBuffer(Frames.HEADER_BYTES + (small ? length : 0));
    Frames.writeHeader(frame, Frames.DATA, stream.takeFlags(), stream.streamId(), length);
    if (small) {
      parts.forEach(frame::writeBytes);
    } else {
      // As one buffer, so that nothing can come between a header and its payload.
      CompositeByteBuf whole = to.alloc().compositeBuffer(parts.size() + 1);
      whole.addComponent(true, frame);
      parts.forEach(part -> whole.addComponent(true, part.retain()));
      frame = whole;
    }
    to.write(frame, to.voidPromise());
    return length;
  }

  void writeEnd(YamuxStream stream) {
    writeControl(Frames.WINDOW_UPDATE, stream.takeFlags() | Frames.FIN, stream.streamId(), 0);
  }

  void writeWindowUpdate(YamuxStream stream, int flags, int delta) {
    writeControl(Frames.WINDOW_UPDATE, flags, stream.streamId(), delta);
  }

  private void writeControl(int type, int flags, int streamId, int length) {
    ChannelHandlerContext to = context;
    if (ended || to == null) {
      return;
    }
    if (!parent.isWritable()) {
      answerBytes += Frames.HEADER_BYTES;
      if (answerBytes > ANSWER_BYTES_MAX) {
        fail(
            new PeerMisbehaviourException(
                "yamux: the remote does not read the answers that it asks for"));
        return;
      }
    }
    to.write(
        Frames.writeHeader(
            to.alloc().heapBuffer(Frames.HEADER_BYTES), type, flags, streamId, length),
        to.voidPromise());
    flushSoon();
  }

  /// Flushes once for all that is written in this turn of the event loop.
  private void flushSoon() {
    if (!flushDue) {
      flushDue = true;
      if (!inRead) {
        parent.eventLoop().execute(this::flushNow);
      }
    }
  }

  private void flushNow() {
    if (flushDue && context != null) {
      flushDue = false;
      context.flush();
    }
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
    if (!streams.containsKey(stream.streamId())) {
      return;
    }
    streams.remove(stream.streamId());
    if (stream.outbound()) {
      acknowledge(stream);
    } else {
      inbound--;
      if (!stream.acknowledged()) {
        stream.takeFlags();
      }
    }
  }

  /// The stream's channel is closed.
  void closed(YamuxStream stream, boolean sendReset) {
    boolean known = streams.containsKey(stream.streamId());
    forget(stream);
    release(stream.window().reserved());
    if (sendReset && known && !ended) {
      strayBytes += stream.window().available();
      writeControl(Frames.WINDOW_UPDATE, Frames.RST, stream.streamId(), 0);
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
    ChannelHandlerContext to = context;
    if (to == null || !parent.isActive()) {
      parent.close();
      return;
    }
    to.writeAndFlush(
            Frames.writeHeader(
                to.alloc().heapBuffer(Frames.HEADER_BYTES), Frames.GO_AWAY, 0, 0, code))
        .addListener(ChannelFutureListener.CLOSE);
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
    line.clear();
    if (keepAlive != null) {
      keepAlive.cancel(false);
    }
    for (YamuxStream stream : List.copyOf(streams.values())) {
      stream.lost(why);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
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
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      end("the remote closed the connection");
      ctx.close();
    }
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof PeerMisbehaviourException misbehaviour) {
      fail(misbehaviour);
    } else {
      end(cause.getMessage() == null ? cause.toString() : cause.getMessage());
      ctx.close();
    }
    if (cause instanceof Error) {
      // A lack of memory, for one, is the whole process's business.
      ctx.fireExceptionCaught(cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    end("the remote closed the connection");
    closed.complete(Objects.requireNonNull(reason));
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    end("yamux was removed from the connection");
    closed.complete(Objects.requireNonNull(reason));
  }
}
