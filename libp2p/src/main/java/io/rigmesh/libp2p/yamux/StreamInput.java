package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.rigmesh.libp2p.PeerMisbehaviourException;

/// The receiving half of a stream: what has arrived waits here, within the window, until it is
/// read, and the remote may send more as it is. Runs on the event loop.
final class StreamInput {
  /// What one `read()` hands over at most while `autoRead` is off.
  private static final int READ_BYTES = 64 * 1024;

  /// What may wait unread on any stream without being counted as memory, and the step above.
  private static final int FREE_BYTES = 4 * 1024;

  private static final int STEP_BYTES = 32 * 1024;

  private final YamuxStream stream;
  private final YamuxHandler session;
  private final ReceiveWindow window;
  private final ReceiveQueue received;
  private long reserved;

  private boolean readPending;

  /// Reading was asked for while bytes were being handed over.
  private boolean readAgain;

  private boolean delivering;
  private boolean inBatch;

  /// What the read at hand has handed over.
  private long delivered;

  /// The remote has sent its end; what it sent before may not yet be read.
  private boolean remoteEnded;

  private volatile boolean shutdown;
  private boolean closed;

  StreamInput(YamuxStream stream, YamuxHandler session, long windowBytesMax) {
    this.stream = stream;
    this.session = session;
    this.window = new ReceiveWindow(windowBytesMax, System.nanoTime());
    this.received = new ReceiveQueue(stream.parent().config().getAllocator());
  }

  ReceiveWindow window() {
    return window;
  }

  boolean remoteEnded() {
    return remoteEnded;
  }

  /// Whether the application knows of the end, or has asked for it.
  boolean shutdown() {
    return shutdown;
  }

  /// Whether something waits to be read.
  boolean unread() {
    return !received.isEmpty();
  }

  /// The remote announces payload.
  ///
  /// @throws PeerMisbehaviourException when the window does not allow it or the remote had ended
  void expect(long length) {
    if (!window.take(length)) {
      throw new PeerMisbehaviourException(
          "yamux: data of "
              + length
              + " bytes for stream "
              + Integer.toUnsignedString(stream.streamId())
              + ", whose window has "
              + window.available());
    }
    if (length > 0 && remoteEnded) {
      throw new PeerMisbehaviourException(
          "yamux: data for stream "
              + Integer.toUnsignedString(stream.streamId())
              + " after its end");
    }
  }

  /// Takes payload over; false when there is no memory for it to wait in.
  boolean receive(ByteBuf part) {
    if (closed) {
      part.release();
    } else if (shutdown) {
      window.consume(part.readableBytes());
      part.release();
      endBatchLater();
    } else if (readPending && received.isEmpty() && !readSatisfied()) {
      deliver(part);
      endBatchLater();
    } else if (reserve(part.readableBytes())) {
      received.add(part);
    } else {
      part.release();
      return false;
    }
    return true;
  }

  /// The window's growth is counted on its own; this counts what waits of its first 256 KiB, in
  /// steps, once it is more than a short message.
  private boolean reserve(int more) {
    long bytes = Math.min(received.bytes() + more, Frames.INITIAL_WINDOW_BYTES);
    long wanted = bytes <= FREE_BYTES ? 0 : (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    if (wanted > reserved) {
      if (!session.reserve(wanted - reserved)) {
        return false;
      }
      reserved = wanted;
    }
    return true;
  }

  private void releaseReserved() {
    session.release(reserved);
    reserved = 0;
  }

  private boolean readSatisfied() {
    return delivered >= READ_BYTES && !stream.config().isAutoRead();
  }

  private void deliver(ByteBuf part) {
    window.consume(part.readableBytes());
    delivered += part.readableBytes();
    stream.pipeline().fireChannelRead(part);
  }

  private void endBatchLater() {
    if (!inBatch) {
      inBatch = true;
      session.batched(stream);
    }
  }

  /// The connection has no more bytes for now: ends the read that they answered.
  void endBatch() {
    inBatch = false;
    if (closed) {
      return;
    }
    if (delivered > 0) {
      endRead();
    }
    deliverReceived();
    credit();
  }

  /// The application asks for bytes.
  void beginRead() {
    // Asked while bytes are being handed over, it is a wish for those that follow.
    readAgain = readPending && delivered > 0;
    readPending = true;
    if (!received.isEmpty() && !inBatch) {
      deliverReceived();
      credit();
    }
  }

  void stopReading() {
    readPending = false;
    readAgain = false;
  }

  private void endRead() {
    delivered = 0;
    readPending = readAgain;
    readAgain = false;
    stream.pipeline().fireChannelReadComplete();
  }

  private void deliverReceived() {
    if (delivering) {
      return;
    }
    delivering = true;
    try {
      while (readPending && !received.isEmpty()) {
        while (readPending && !readSatisfied()) {
          ByteBuf next = received.poll();
          if (next == null) {
            break;
          }
          deliver(next);
        }
        endRead();
      }
      if (received.isEmpty()) {
        releaseReserved();
      }
    } finally {
      delivering = false;
    }
    endWhenDrained();
  }

  /// Lets the remote send more when enough is consumed.
  private void credit() {
    if (!closed && !remoteEnded && !stream.isDetached()) {
      long delta = window.credit(System.nanoTime(), session.roundTripNanos(), session::reserve);
      if (delta > 0) {
        session.writer().windowUpdate(stream, 0, (int) delta);
      }
    }
  }

  /// The remote has ended its half.
  void remoteEnd() {
    remoteEnded = true;
    endWhenDrained();
  }

  private void endWhenDrained() {
    if (!closed && remoteEnded && !shutdown && received.isEmpty()) {
      if (delivered > 0) {
        endRead();
      }
      shutdown = true;
      stream.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
      stream.pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
      stream.closeWhenDone();
    }
  }

  /// The application wants no more; what comes is dropped, so that the remote can finish.
  void shutdownByApplication() {
    shutdown = true;
    window.consume(received.bytes());
    clear();
    credit();
  }

  /// Drops what waits.
  void clear() {
    received.clear();
    releaseReserved();
  }

  /// The stream is over; gives all its memory back.
  void close() {
    if (!closed) {
      closed = true;
      clear();
      session.release(window.reserved());
    }
  }
}
