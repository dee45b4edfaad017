package io.rigmesh.libp2p;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.rigmesh.libp2p.multiformats.Varint;
import io.rigmesh.libp2p.negotiation.Multistream;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A stream read and written from a (virtual) thread. One thread may read while another writes.
///
/// Reading asks the channel for more only when everything received has been taken, so that a slow
/// reader slows the remote; writing waits while the channel is not writable. Every call ends within
/// the timeout with [StreamTimeoutException], and with [StreamResetException] when the stream has
/// gone. A call that reads many bytes has, beside the timeout, the time that they take at
/// [#BYTES_PER_SECOND_MIN]: a remote that sends a byte now and then does not hold its reader.
public final class BlockingStream {
  /// The time that a read or write may wait when none is set.
  public static final Duration TIMEOUT = Duration.ofSeconds(30);

  /// How fast a message or a run of bytes must come once it was begun.
  public static final int BYTES_PER_SECOND_MIN = 8 * 1024;

  private static final int STEP_BYTES = 16 * 1024;

  private final Stream stream;
  private final Channel channel;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<ByteBuf> received = new ArrayDeque<>();
  private boolean ended;
  private @Nullable String gone;
  private volatile long timeoutNanos = TIMEOUT.toNanos();

  private BlockingStream(Stream stream) {
    this.stream = stream;
    this.channel = stream.channel();
  }

  static BlockingStream attach(Stream stream) {
    BlockingStream blocking = new BlockingStream(stream);
    stream.channel().pipeline().addLast("blocking", blocking.new Receiver());
    if (!stream.channel().isActive()) {
      blocking.lose(blocking.why("the stream was closed before it was read"));
    }
    return blocking;
  }

  /// Sets how long each later read or write may wait.
  public BlockingStream timeout(Duration timeout) {
    timeoutNanos = timeout.toNanos();
    return this;
  }

  /// Reads at least one byte; -1 at the remote's end.
  public int read(byte[] into, int offset, int length) {
    return read(into, offset, length, timeoutNanos);
  }

  private int read(byte[] into, int offset, int length, long nanos) {
    if (length == 0) {
      return 0;
    }
    lock.lock();
    try {
      if (!awaitBytes(nanos)) {
        return -1;
      }
      ByteBuf head = received.getFirst();
      int count = Math.min(length, head.readableBytes());
      head.readBytes(into, offset, count);
      if (!head.isReadable()) {
        received.removeFirst().release();
      }
      return count;
    } finally {
      lock.unlock();
    }
  }

  /// Waits for something to read, so that one may wait as long as one likes for a message to begin.
  ///
  /// @return false at the remote's end
  public boolean awaitReadable() {
    lock.lock();
    try {
      return awaitBytes(timeoutNanos);
    } finally {
      lock.unlock();
    }
  }

  /// Reads exactly so many bytes.
  ///
  /// @throws PeerMisbehaviourException when the remote ends before
  public byte[] readFully(int bytes) {
    byte[] out = new byte[bytes];
    readFully(out, 0, bytes);
    return out;
  }

  /// Fills a part of an array.
  ///
  /// @throws PeerMisbehaviourException when the remote ends before
  public void readFully(byte[] into, int offset, int length) {
    readFully(into, offset, length, endOf(length));
  }

  /// When a call that reads so many bytes must have them, in [System#nanoTime()].
  private long endOf(int bytes) {
    return System.nanoTime()
        + timeoutNanos
        + TimeUnit.SECONDS.toNanos(1) * bytes / BYTES_PER_SECOND_MIN;
  }

  private void readFully(byte[] into, int offset, int length, long end) {
    int at = 0;
    while (at < length) {
      int count = read(into, offset + at, length - at, end - System.nanoTime());
      if (count < 0) {
        throw new PeerMisbehaviourException(
            stream.protocol() + ": the stream ended after " + at + " of " + length + " bytes");
      }
      at += count;
    }
  }

  /// Reads a message with a varint length before it; empty at the remote's end between messages.
  ///
  /// @throws PeerMisbehaviourException when the length is over the limit (checked before memory is
  ///   taken) or the remote ends inside the message
  public Optional<byte[]> readMessage(int bytesMax) {
    byte[] one = new byte[1];
    long length = 0;
    long end = endOf(1);
    for (int i = 0; ; i++) {
      if (read(one, 0, 1, end - System.nanoTime()) < 0) {
        if (i == 0) {
          return Optional.empty();
        }
        throw new PeerMisbehaviourException(
            stream.protocol() + ": the stream ended inside a length");
      }
      length |= (long) (one[0] & 0x7f) << (7 * i);
      if (one[0] >= 0) {
        break;
      }
      if (i == 4) {
        throw new PeerMisbehaviourException(
            stream.protocol() + ": a message's length is over five bytes long");
      }
    }
    if (length > bytesMax) {
      throw new PeerMisbehaviourException(
          stream.protocol()
              + ": a message of "
              + length
              + " bytes is over the limit of "
              + bytesMax);
    }
    return Optional.of(readGrowing((int) length));
  }

  /// Takes memory as the bytes come, so that announcing a long message costs the remote as much as
  /// this host.
  private byte[] readGrowing(int length) {
    byte[] out = new byte[Math.min(length, STEP_BYTES)];
    int at = 0;
    long end = endOf(length);
    while (true) {
      readFully(out, at, out.length - at, end);
      at = out.length;
      if (at == length) {
        return out;
      }
      out = Arrays.copyOf(out, (int) Math.min(length, 2L * at));
    }
  }

  /// Reads a message that must come.
  ///
  /// @throws PeerMisbehaviourException as [#readMessage], and when the remote ends instead
  public byte[] requireMessage(int bytesMax) {
    return readMessage(bytesMax)
        .orElseThrow(() ->
            new PeerMisbehaviourException(
                stream.protocol() + ": the stream ended where a message was due"));
  }

  /// Writes bytes and returns when the channel can take more.
  public void write(byte[] bytes) {
    write(Unpooled.wrappedBuffer(bytes));
  }

  /// Writes a buffer, which is released, and returns when the channel can take more.
  public void write(ByteBuf bytes) {
    lock.lock();
    try {
      if (gone != null) {
        bytes.release();
        throw new StreamResetException(stream.protocol() + ": " + gone);
      }
    } finally {
      lock.unlock();
    }
    channel.writeAndFlush(bytes);
    awaitWritable();
  }

  /// Writes a message with its varint length before it.
  public void writeMessage(byte[] message) {
    byte[] length = Varint.encode(message.length);
    write(Unpooled.wrappedBuffer(length, message));
  }

  public void writeMessage(MessageLite message) {
    writeMessage(message.toByteArray());
  }

  /// Ends this side's half, after everything written so far has been sent.
  public void closeWrite() {
    stream.closeWrite();
  }

  /// This stream's bytes; closing it does nothing.
  public InputStream input() {
    return new InputStream() {
      @Override
      public int read() {
        byte[] one = new byte[1];
        return BlockingStream.this.read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) {
        return BlockingStream.this.read(into, offset, length);
      }
    };
  }

  /// Writes to this stream; closing it ends this side's half.
  public OutputStream output() {
    return new OutputStream() {
      @Override
      public void write(int b) {
        BlockingStream.this.write(new byte[] {(byte) b});
      }

      @Override
      public void write(byte[] from, int offset, int length) {
        BlockingStream.this.write(Unpooled.copiedBuffer(from, offset, length));
      }

      @Override
      public void close() {
        closeWrite();
      }
    };
  }

  private boolean awaitBytes(long patienceNanos) {
    long nanos = patienceNanos;
    boolean asked = false;
    while (received.isEmpty()) {
      if (gone != null) {
        throw new StreamResetException(stream.protocol() + ": " + gone);
      }
      if (ended) {
        return false;
      }
      if (!asked) {
        channel.read();
        asked = true;
      }
      nanos = await(nanos, "nothing came from " + stream.peer());
    }
    return true;
  }

  private void awaitWritable() {
    if (channel.isWritable()) {
      return;
    }
    lock.lock();
    try {
      long nanos = timeoutNanos;
      while (!channel.isWritable()) {
        if (gone != null) {
          throw new StreamResetException(stream.protocol() + ": " + gone);
        }
        nanos = await(nanos, stream.peer() + " does not read what is written");
      }
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("WaitNotInLoop") // Its callers loop.
  private long await(long nanos, String what) {
    if (nanos <= 0) {
      throw new StreamTimeoutException(
          stream.protocol()
              + ": "
              + what
              + " in time; a read or write may wait for "
              + TimeUnit.NANOSECONDS.toMillis(timeoutNanos)
              + " ms");
    }
    try {
      return changed.awaitNanos(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Libp2pException(stream.protocol() + ": interrupted while waiting", e);
    }
  }

  /// The reason that its protocol's negotiation left on the channel, if any.
  private String why(String otherwise) {
    Libp2pException refusal = channel.attr(Multistream.FAILURE).get();
    return refusal == null ? otherwise : String.valueOf(refusal.getMessage());
  }

  private void lose(String reason) {
    lock.lock();
    try {
      if (gone == null && !ended) {
        gone = reason;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Moves what the channel receives to the waiting thread.
  private final class Receiver extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      if (!bytes.isReadable()) {
        bytes.release();
        return;
      }
      lock.lock();
      try {
        received.addLast(bytes);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        lock.lock();
        try {
          ended = true;
          changed.signalAll();
        } finally {
          lock.unlock();
        }
      } else {
        context.fireUserEventTriggered(event);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      lock.lock();
      try {
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      lose(cause.getMessage() == null ? cause.toString() : cause.getMessage());
      context.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      lose(why("the stream is closed"));
      context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
      lock.lock();
      try {
        // What has arrived stays readable after the channel is gone, in memory that needs no
        // release.
        for (int i = received.size(); i > 0; i--) {
          ByteBuf pooled = received.removeFirst();
          received.addLast(Unpooled.copiedBuffer(pooled));
          pooled.release();
        }
        if (gone == null && !ended) {
          gone = why("the stream is closed");
        }
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
