package io.rigmesh.libp2p.transport.quic;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.PromiseNotifier;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.transport.Failures;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// A stream over Netty's own QUIC stream channel, the carrier, with what every stream here promises
/// and the carrier does not: written bytes count against the writability of this channel and are
/// never overtaken by the end of the stream, a close with unsent bytes is a reset and no clean end,
/// a close stops the remote's sending, and a remote's reset is seen without a read in the
/// application.
///
/// To see it, one read ahead is made on the carrier: at most one buffer waits here for the
/// application's read. Used on one event loop.
final class QuicStream extends AbstractChannel implements DuplexChannel {
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  /// The application error code of a reset; libp2p gives it no meaning.
  static final int NO_ERROR = 0;

  private final QuicStreamChannel carrier;
  private final ChannelConfig config = new DefaultChannelConfig(this);
  private boolean open = true;

  private @Nullable ByteBuf held;
  private boolean readWanted;
  private boolean delivering;
  private boolean remoteEnded;
  private volatile boolean inputShutdown;

  private boolean carrierQueued;
  private @Nullable ChannelPromise finishing;
  private boolean finScheduled;
  private boolean finSent;
  private volatile boolean outputEnded;
  private boolean unsent = true;

  /// @param carrier whose `autoRead` is off, with a [StreamReceiver] in its pipeline
  QuicStream(QuicStreamChannel carrier) {
    super(carrier.parent());
    this.carrier = carrier;
    config.setAutoRead(false);
  }

  QuicStreamChannel carrier() {
    return carrier;
  }

  // Reading.

  /// What the carrier has read ahead.
  void received(ByteBuf bytes) {
    if (!open || inputShutdown) {
      bytes.release();
      return;
    }
    held = bytes;
    deliver();
  }

  void remoteEnded() {
    remoteEnded = true;
    deliver();
  }

  @Override
  protected void doBeginRead() {
    readWanted = true;
    // Not at once: whoever asks may not be ready before it returns.
    if (!delivering && (held != null || remoteEnded)) {
      carrier.eventLoop().execute(this::deliver);
    }
  }

  private void deliver() {
    if (delivering || !isRegistered()) {
      return;
    }
    delivering = true;
    try {
      while (readWanted && open) {
        ByteBuf bytes = held;
        if (bytes != null) {
          readWanted = false;
          held = null;
          pipeline().fireChannelRead(bytes);
          pipeline().fireChannelReadComplete();
          if (!remoteEnded && open) {
            carrier.read();
          }
        } else if (remoteEnded && !inputShutdown) {
          readWanted = false;
          inputShutdown = true;
          pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
          closeWhenDone();
        } else {
          return;
        }
      }
    } finally {
      delivering = false;
    }
  }

  /// The remote has reset the stream, or the connection has gone.
  void lost(String reason) {
    if (!open) {
      return;
    }
    if (isRegistered()) {
      pipeline().fireExceptionCaught(new StreamResetException(reason));
    }
    unsent = true;
    ((StreamUnsafe) unsafe()).abort();
  }

  /// The carrier's channel is closed.
  void carrierGone() {
    // When both halves have ended, what is still held here waits for its reader.
    if (!(remoteEnded && outputEnded)) {
      lost("the connection is closed");
    }
  }

  @Override
  public boolean isInputShutdown() {
    return inputShutdown;
  }

  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    inLoop(() -> {
      if (!inputShutdown) {
        inputShutdown = true;
        releaseHeld();
        if (!remoteEnded) {
          carrier.shutdownInput(NO_ERROR);
        }
        closeWhenDone();
      }
      promise.trySuccess();
    });
    return promise;
  }

  // Writing.

  @Override
  protected Object filterOutboundMessage(Object message) {
    if (!(message instanceof ByteBuf bytes)) {
      throw new UnsupportedOperationException(
          "A stream takes bytes only, not " + message.getClass().getName());
    }
    if (finishing != null) {
      throw new IllegalStateException("This side of the stream has ended");
    }
    if (bytes.isDirect() && bytes.nioBufferCount() == 1) {
      return bytes;
    }
    ByteBuf direct = alloc().directBuffer(bytes.readableBytes());
    direct.writeBytes(bytes, bytes.readerIndex(), bytes.readableBytes());
    bytes.release();
    return direct;
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer buffer) {
    while (!carrierQueued && buffer.current() instanceof ByteBuf bytes) {
      int readable = bytes.readableBytes();
      if (readable == 0) {
        buffer.remove();
        continue;
      }
      long room = carrier.isWritable() ? carrier.bytesBeforeUnwritable() : 0;
      if (room <= 0) {
        break;
      }
      int count = (int) Math.min(room, readable);
      ChannelFuture written = carrier.write(bytes.retainedSlice(bytes.readerIndex(), count));
      if (!written.isDone()) {
        // Other streams have used the connection's room meanwhile: the carrier keeps these bytes.
        carrierQueued = true;
        written.addListener(done -> resume(done.cause()));
      } else if (!written.isSuccess()) {
        throw stopped(written.cause());
      }
      buffer.removeBytes(count);
    }
    finishWhenSent(buffer.isEmpty());
  }

  private void resume(@Nullable Throwable failure) {
    carrierQueued = false;
    if (failure != null) {
      ((StreamUnsafe) unsafe()).stop(stopped(failure));
    } else {
      writeOn();
    }
  }

  /// The carrier can take more.
  void writeOn() {
    if (open && isRegistered()) {
      ((StreamUnsafe) unsafe()).writeOn();
      finishWhenSent(bufferIsEmpty());
    }
  }

  private static StreamResetException stopped(@Nullable Throwable cause) {
    return new StreamResetException(
        "the remote reads no more of the stream"
            + (cause == null ? "" : ": " + Failures.message(cause)));
  }

  @Override
  public boolean isOutputShutdown() {
    return outputEnded;
  }

  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  /// The end follows everything written so far, also what is not flushed yet.
  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    inLoop(() -> {
      ChannelPromise earlier = finishing;
      if (!open || outputEnded) {
        promise.trySuccess();
      } else if (earlier != null) {
        earlier.addListener(new PromiseNotifier<>(promise));
      } else {
        finishing = promise;
        unsafe().flush();
        finishWhenSent(bufferIsEmpty());
      }
    });
    return promise;
  }

  private void finishWhenSent(boolean empty) {
    if (finishing != null && empty && !carrierQueued && !finScheduled && open) {
      // The end must leave before anything more is received: quiche forgets an end that is not sent
      // when the bytes before it are acknowledged (cloudflare/quiche issue 2525), and while Netty
      // works off received packets it sends nothing.
      finScheduled = true;
      carrier.eventLoop().execute(this::finish);
    }
  }

  private void finish() {
    ChannelPromise promise = finishing;
    if (open && !outputEnded && promise != null) {
      finSent = true;
      ((StreamUnsafe) unsafe()).shutdownOutput(promise);
      closeWhenDone();
    }
  }

  @Override
  protected void doShutdownOutput() {
    outputEnded = true;
    if (finSent) {
      carrier.shutdownOutput();
    } else {
      carrier.shutdownOutput(NO_ERROR);
      failFinishing();
    }
  }

  private boolean bufferIsEmpty() {
    ChannelOutboundBuffer buffer = unsafe().outboundBuffer();
    return buffer == null || buffer.isEmpty();
  }

  @Override
  public boolean isShutdown() {
    return inputShutdown && outputEnded;
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

  // Ending.

  private void closeWhenDone() {
    if (inputShutdown && outputEnded && open) {
      unsafe().close(voidPromise());
    }
  }

  /// Ends both directions at once.
  void reset() {
    inLoop(() -> {
      if (open) {
        unsent = true;
        ((StreamUnsafe) unsafe()).abort();
      }
    });
  }

  @Override
  protected void doClose() {
    open = false;
    inputShutdown = true;
    releaseHeld();
    if (!remoteEnded && carrier.isOpen()) {
      carrier.shutdownInput(NO_ERROR);
    }
    if (unsent && !outputEnded && carrier.isOpen()) {
      carrier.shutdownOutput(NO_ERROR);
    }
    // Ends this side's half cleanly when neither a reset nor an end was sent.
    carrier.close();
    outputEnded = true;
    if (unsent) {
      failFinishing();
    } else if (finishing != null) {
      finishing.trySuccess();
    }
    if (!remoteEnded) {
      ClosedStreams.forget(carrier);
    }
  }

  private void failFinishing() {
    ChannelPromise promise = finishing;
    if (promise != null) {
      promise.tryFailure(new StreamResetException("the stream ended before all bytes were sent"));
    }
  }

  private void releaseHeld() {
    ByteBuf bytes = held;
    held = null;
    if (bytes != null) {
      bytes.release();
    }
  }

  private void inLoop(Runnable task) {
    if (carrier.eventLoop().inEventLoop()) {
      task.run();
    } else {
      carrier.eventLoop().execute(task);
    }
  }

  // The rest of a channel.

  /// Without the warning for an exception that no handler takes: a remote may reset a stream before
  /// it has any.
  @Override
  protected DefaultChannelPipeline newChannelPipeline() {
    return new DefaultChannelPipeline(this) {
      @Override
      protected void onUnhandledInboundException(Throwable cause) {
        ReferenceCountUtil.release(cause);
      }
    };
  }

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new StreamUnsafe();
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return loop.equals(carrier.eventLoop());
  }

  @Override
  protected SocketAddress localAddress0() {
    return carrier.localAddress();
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return carrier.remoteAddress();
  }

  @Override
  protected void doBind(SocketAddress address) {
    throw new UnsupportedOperationException("A stream cannot be bound");
  }

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
    public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
      promise.setFailure(new UnsupportedOperationException("A stream is connected already"));
    }

    /// The application's close: clean when everything has been sent.
    @Override
    public void close(ChannelPromise promise) {
      if (open) {
        unsent = unsent(outboundBuffer());
      }
      super.close(promise);
    }

    void abort() {
      super.close(voidPromise());
    }

    void writeOn() {
      flush0();
    }

    void stop(StreamResetException cause) {
      handleWriteError(cause);
    }

    private boolean unsent(@Nullable ChannelOutboundBuffer buffer) {
      return carrierQueued || (buffer != null && !buffer.isEmpty());
    }
  }
}
