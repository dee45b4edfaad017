package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.StreamResetException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One stream as a channel. What is written waits in Netty's outbound buffer of this channel until
/// the remote's window and the connection take it; what arrives waits here, within the window,
/// until it is read. All methods but the channel's public ones run on the event loop.
final class YamuxStream extends AbstractChannel implements DuplexChannel {
  private static final Logger LOG = LoggerFactory.getLogger(YamuxStream.class);
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  /// One turn's frame: with its header it fills one Noise frame exactly.
  static final int FRAME_BYTES_MAX = 65_519 - Frames.HEADER_BYTES;

  private static final long WINDOW_BYTES_MAX = 0xffff_ffffL;

  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 256 * 1024);

  private final YamuxHandler session;
  private final int streamId;
  private final boolean outbound;
  private final ChannelConfig config = new Config(this);
  private final StreamInput input;

  private long sendWindow = Frames.INITIAL_WINDOW_BYTES;

  /// SYN or ACK that the next frame has to carry.
  private int flagsDue;

  private boolean acknowledged;
  private boolean scheduled;

  /// The application has asked for the end, which goes out after what it wrote before.
  private boolean outputEnding;

  private volatile boolean endSent;
  private @Nullable ChannelPromise endPromise;
  private volatile boolean detached;
  private volatile boolean open = true;

  YamuxStream(
      YamuxHandler session, Channel parent, int streamId, boolean outbound, long windowBytesMax) {
    super(parent, new YamuxStreamId(parent.id(), streamId));
    this.session = session;
    this.streamId = streamId;
    this.outbound = outbound;
    this.flagsDue = outbound ? Frames.SYN : Frames.ACK;
    this.input = new StreamInput(this, session, windowBytesMax);
    config.setAllocator(parent.config().getAllocator());
    config.setAutoRead(false);
    config.setWriteBufferWaterMark(WATER_MARK);
  }

  int streamId() {
    return streamId;
  }

  boolean outbound() {
    return outbound;
  }

  /// Whether the other side has, or has been told to, take the stream.
  boolean acknowledged() {
    return acknowledged;
  }

  /// False when it was acknowledged before.
  boolean acknowledge() {
    boolean first = !acknowledged;
    acknowledged = true;
    return first;
  }

  /// Flags that are due with the next frame; they count as sent.
  int takeFlags() {
    int flags = flagsDue;
    flagsDue = 0;
    if ((flags & Frames.ACK) != 0) {
      session.acknowledged(this);
    }
    return flags;
  }

  /// Sends SYN or ACK alone when no other frame has carried it by now.
  void announce() {
    if (flagsDue != 0 && open) {
      session.writer().windowUpdate(this, 0, 0);
    }
  }

  /// Whether the connection has no part in this stream any more.
  boolean isDetached() {
    return detached;
  }

  // ---- receiving

  /// The remote announces payload.
  ///
  /// @throws PeerMisbehaviourException when the window does not allow it or the remote had ended
  void expect(long length) {
    input.expect(length);
  }

  /// Payload of a frame that was announced; takes ownership.
  void receive(ByteBuf part) {
    if (!input.receive(part)) {
      abort(
          new StreamResetException(
              "what was received and not read found no more memory: the stream is reset"),
          true);
    }
  }

  /// The connection has no more bytes for now.
  void endBatch() {
    input.endBatch();
  }

  @Override
  protected void doBeginRead() {
    input.beginRead();
  }

  /// The remote has ended its half.
  void remoteEnd() {
    input.remoteEnd();
    closeWhenDone();
  }

  // ---- sending

  /// The remote lets more be sent.
  ///
  /// @throws PeerMisbehaviourException when that is more than a window can be
  void widen(long delta) {
    sendWindow += delta;
    if (sendWindow > WINDOW_BYTES_MAX) {
      throw new PeerMisbehaviourException(
          "yamux: the window of stream " + Integer.toUnsignedString(streamId) + " grew over 4 GiB");
    }
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (delta > 0 && out != null && !out.isEmpty()) {
      session.writer().schedule(this);
    }
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer out) {
    session.writer().schedule(this);
  }

  @Override
  protected Object filterOutboundMessage(Object message) throws Exception {
    if (outputEnding) {
      throw new ChannelOutputShutdownException("The stream's output is shut down");
    }
    if (message instanceof ByteBuf) {
      return message;
    }
    throw new UnsupportedOperationException(
        "A stream takes ByteBufs, not " + message.getClass().getName());
  }

  /// Whether it waits for its turn; at most one place in the line for each stream.
  boolean scheduled() {
    return scheduled;
  }

  void setScheduled(boolean scheduled) {
    this.scheduled = scheduled;
  }

  /// Sends one frame, and the end when that is due; true when there is more that may be sent.
  boolean writeTurn() {
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (out == null || !open) {
      return false;
    }
    int count = session.writer().data(this, out, (int) Math.min(sendWindow, FRAME_BYTES_MAX));
    sendWindow -= count;
    complete(out, count);
    if (!open) {
      return false;
    }
    if (out.isEmpty()) {
      sendEndWhenDue();
      return false;
    }
    return sendWindow > 0;
  }

  /// Completes the writes whose bytes are sent, and those without bytes behind them. Their
  /// listeners may close this channel, which empties the buffer.
  private void complete(ChannelOutboundBuffer out, int count) {
    int left = count;
    while (open && out.current() instanceof ByteBuf head) {
      int readable = head.readableBytes();
      if (readable > left) {
        head.skipBytes(left);
        if (left > 0) {
          out.progress(left);
        }
        return;
      }
      left -= readable;
      out.progress(readable);
      out.remove();
    }
  }

  private void sendEndWhenDue() {
    if (outputEnding && !endSent && !detached) {
      endSent = true;
      session.writer().windowUpdate(this, Frames.FIN, 0);
      ChannelPromise promise = endPromise;
      endPromise = null;
      if (promise != null) {
        promise.trySuccess();
      }
      closeWhenDone();
    }
  }

  /// Closes the channel once both halves have ended and everything is read.
  void closeWhenDone() {
    if (open && input.shutdown() && input.remoteEnded() && (endSent || detached)) {
      unsafe().close(unsafe().voidPromise());
    }
  }

  // ---- endings

  /// Ends both directions at once; the remote sees a reset.
  void reset() {
    abort(new StreamResetException("this side has reset the stream"), false);
  }

  /// The remote has reset the stream, or its connection is gone. When nothing of ours was still on
  /// its way, what the remote has sent and ended stays readable.
  void lost(String reason) {
    session.forget(this);
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    boolean nothingToSend = detached || (out != null && out.isEmpty());
    if (input.remoteEnded() && input.unread() && nothingToSend) {
      if (!detached) {
        detached = true;
        outputEnding = true;
        ((StreamUnsafe) unsafe()).shutdownOutput(newPromise());
      }
      return;
    }
    detached = true;
    abort(new StreamResetException(reason), true);
  }

  /// @param tell whether this side's handlers do not know yet
  private void abort(StreamResetException cause, boolean tell) {
    if (!open) {
      return;
    }
    input.clear();
    if (tell) {
      pipeline().fireExceptionCaught(cause);
    }
    ((StreamUnsafe) unsafe()).abort(cause);
  }

  @Override
  protected void doClose() {
    open = false;
    boolean quiet = detached || (endSent && input.remoteEnded());
    input.close();
    session.closed(this, !quiet && flagsDue != Frames.SYN, input.window().available());
    ChannelPromise promise = endPromise;
    endPromise = null;
    if (promise != null) {
      promise.tryFailure(new ClosedChannelException());
    }
  }

  @Override
  public boolean isInputShutdown() {
    return input.shutdown() || !open;
  }

  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  /// What still arrives is dropped; yamux cannot tell the remote.
  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    onEventLoop(() -> {
      input.shutdownByApplication();
      promise.trySuccess();
      closeWhenDone();
    });
    return promise;
  }

  /// Whether the end has been sent; it may have been asked for before.
  @Override
  public boolean isOutputShutdown() {
    return endSent || detached || !open;
  }

  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  /// The remote sees the end after everything written so far, also what is not flushed yet.
  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    onEventLoop(() -> endOutput(promise));
    return promise;
  }

  private void endOutput(ChannelPromise promise) {
    if (endSent) {
      promise.trySuccess();
    } else if (!open || detached) {
      promise.tryFailure(new ClosedChannelException());
    } else if (outputEnding && endPromise != null) {
      endPromise.addListener(ended -> {
        if (ended.isSuccess()) {
          promise.trySuccess();
        } else {
          promise.tryFailure(ended.cause());
        }
      });
    } else {
      outputEnding = true;
      endPromise = promise;
      unsafe().flush();
      session.writer().schedule(this);
    }
  }

  @Override
  public boolean isShutdown() {
    return isInputShutdown() && isOutputShutdown();
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    shutdownInput();
    return shutdownOutput(promise);
  }

  private void onEventLoop(Runnable action) {
    if (eventLoop().inEventLoop()) {
      action.run();
    } else {
      eventLoop().execute(action);
    }
  }

  // ---- the rest of a channel

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new StreamUnsafe();
  }

  @Override
  protected DefaultChannelPipeline newChannelPipeline() {
    return new Pipeline(this);
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return loop.equals(parent().eventLoop());
  }

  @Override
  protected SocketAddress localAddress0() {
    return parent().localAddress();
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return parent().remoteAddress();
  }

  @Override
  protected void doBind(SocketAddress localAddress) {
    throw new UnsupportedOperationException("A stream has no address of its own");
  }

  /// Netty's own fails the pending writes; [#shutdownOutput] is what sends an end.
  @Override
  protected void doShutdownOutput() {}

  @Override
  protected void doDisconnect() {
    doClose();
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public boolean isActive() {
    return open;
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  private final class StreamUnsafe extends AbstractUnsafe {
    @Override
    public void connect(
        SocketAddress remoteAddress, SocketAddress localAddress, ChannelPromise promise) {
      promise.tryFailure(new UnsupportedOperationException("A stream is connected from its start"));
    }

    void abort(StreamResetException cause) {
      close(voidPromise(), cause, new ClosedChannelException());
    }
  }

  private final class Config extends DefaultChannelConfig {
    Config(Channel channel) {
      super(channel);
    }

    @Override
    protected void autoReadCleared() {
      if (isRegistered()) {
        onEventLoop(input::stopReading);
      }
    }
  }

  /// A remote can make streams fail at will, so that what nobody handles is no warning in the log.
  private static final class Pipeline extends DefaultChannelPipeline {
    Pipeline(Channel channel) {
      super(channel);
    }

    @Override
    protected void onUnhandledInboundException(Throwable cause) {
      if (cause instanceof StreamResetException) {
        LOG.debug("{} was lost: {}", channel(), cause.getMessage());
      } else {
        super.onUnhandledInboundException(cause);
      }
    }
  }
}
