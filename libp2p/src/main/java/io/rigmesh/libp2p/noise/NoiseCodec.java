package io.rigmesh.libp2p.noise;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.crypto.AEADBadTagException;
import org.jspecify.annotations.Nullable;

/// Encrypts and decrypts frames: a length in two bytes, then at most 65,535 bytes of ciphertext
/// with its tag (the noise specification, "Wire Format").
///
/// What is written is copied at once into the frame that is being filled, which leaves when it is
/// full or at the next flush: so frames are as large as the flushes allow, and besides that one
/// frame nothing waits here outside the transport's count of pending bytes.
final class NoiseCodec extends ChannelDuplexHandler {
  static final int FRAME_BYTES_MAX = 65_535;
  static final int PLAIN_BYTES_MAX = FRAME_BYTES_MAX - CipherState.TAG_BYTES;

  private static final int LENGTH_BYTES = 2;

  /// A frame starts with this room: enough for a small request with the headers before it.
  private static final int SMALL_BYTES = 512;

  private final CipherState encryption;
  private final CipherState decryption;

  /// Filled with plain bytes behind the place of the length.
  private @Nullable ByteBuf filling;

  /// Who waits for the frame being filled; null when nobody does.
  private @Nullable List<ChannelPromise> waiting;

  /// A frame whose rest has not arrived: length and ciphertext so far.
  private @Nullable ByteBuf partial;

  private int partialBytes;
  private boolean broken;

  NoiseCodec(CipherState encryption, CipherState decryption) {
    this.encryption = encryption;
    this.decryption = decryption;
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    ByteBuf bytes = (ByteBuf) message;
    try {
      if (broken) {
        promise.tryFailure(new Libp2pException("noise: the connection has failed"));
        return;
      }
      while (true) {
        ByteBuf frame = frame(context, bytes.readableBytes());
        int count =
            Math.min(bytes.readableBytes(), LENGTH_BYTES + PLAIN_BYTES_MAX - frame.writerIndex());
        frame.writeBytes(bytes, count);
        if (!bytes.isReadable()) {
          break;
        }
        send(context, frame);
      }
      if (!promise.isVoid()) {
        if (waiting == null) {
          waiting = new ArrayList<>(4);
        }
        waiting.add(promise);
      }
    } finally {
      bytes.release();
    }
  }

  private ByteBuf frame(ChannelHandlerContext context, int bytes) {
    ByteBuf frame = filling;
    if (frame == null) {
      int room = LENGTH_BYTES + CipherState.TAG_BYTES + Math.max(bytes, SMALL_BYTES);
      frame =
          context
              .alloc()
              .heapBuffer(
                  Math.min(room, LENGTH_BYTES + FRAME_BYTES_MAX), LENGTH_BYTES + FRAME_BYTES_MAX);
      frame.writerIndex(LENGTH_BYTES);
      filling = frame;
    }
    return frame;
  }

  @Override
  public void flush(ChannelHandlerContext context) {
    if (filling != null) {
      send(context, filling);
    }
    context.flush();
  }

  private void send(ChannelHandlerContext context, ByteBuf frame) {
    filling = null;
    List<ChannelPromise> promises = waiting;
    waiting = null;
    int plain = frame.readableBytes() - LENGTH_BYTES;
    if (plain == 0) {
      frame.release();
      if (promises != null) {
        promises.forEach(ChannelPromise::trySuccess);
      }
      return;
    }
    try {
      frame.ensureWritable(CipherState.TAG_BYTES);
      frame.setShort(0, plain + CipherState.TAG_BYTES);
      encryption.encrypt(frame.array(), frame.arrayOffset() + LENGTH_BYTES, plain, null);
      frame.writerIndex(frame.writerIndex() + CipherState.TAG_BYTES);
    } catch (Libp2pException | Error e) {
      broken = true;
      frame.release();
      if (promises != null) {
        promises.forEach(promise -> promise.tryFailure(e));
      }
      context.fireExceptionCaught(e);
      context.close();
      return;
    }
    if (promises == null) {
      context.write(frame, context.voidPromise());
    } else if (promises.size() == 1) {
      context.write(frame, promises.getFirst());
    } else {
      context
          .write(frame)
          .addListener(written -> {
            for (ChannelPromise promise : promises) {
              if (written.isSuccess()) {
                promise.trySuccess();
              } else {
                promise.tryFailure(written.cause());
              }
            }
          });
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    try {
      while (bytes.isReadable() && !broken) {
        ByteBuf frame = nextFrame(context, bytes);
        if (frame != null) {
          open(context, frame);
        }
      }
    } catch (PeerMisbehaviourException e) {
      broken = true;
      context.fireExceptionCaught(e);
      context.close();
    } finally {
      bytes.release();
    }
  }

  /// Takes the next frame's bytes, or as many as have arrived.
  ///
  /// @return the ciphertext in a heap buffer, or null when it has not wholly arrived
  private @Nullable ByteBuf nextFrame(ChannelHandlerContext context, ByteBuf bytes) {
    if (partial == null) {
      if (bytes.readableBytes() >= LENGTH_BYTES) {
        partialBytes = checked(bytes.readUnsignedShort());
      } else {
        // Half a length: the buffer holds it until the other half comes.
        partial = context.alloc().heapBuffer(LENGTH_BYTES).writeBytes(bytes);
        partialBytes = -1;
        return null;
      }
      partial = context.alloc().heapBuffer(partialBytes, partialBytes);
    } else if (partialBytes < 0) {
      partialBytes = checked(partial.getUnsignedByte(0) << 8 | bytes.readUnsignedByte());
      partial.release();
      partial = null;
      partial = context.alloc().heapBuffer(partialBytes, partialBytes);
    }
    ByteBuf frame = Objects.requireNonNull(partial);
    frame.writeBytes(bytes, Math.min(bytes.readableBytes(), partialBytes - frame.writerIndex()));
    if (frame.writerIndex() < partialBytes) {
      return null;
    }
    partial = null;
    return frame;
  }

  private static int checked(int length) {
    if (length < CipherState.TAG_BYTES) {
      throw new PeerMisbehaviourException(
          "noise: a frame of " + length + " bytes has no room for its tag");
    }
    return length;
  }

  private void open(ChannelHandlerContext context, ByteBuf frame) {
    boolean opened = false;
    try {
      int plain =
          decryption.decrypt(frame.array(), frame.arrayOffset(), frame.readableBytes(), null);
      frame.writerIndex(plain);
      opened = plain > 0;
    } catch (AEADBadTagException e) {
      throw new PeerMisbehaviourException(
          "noise: a frame is not what the remote encrypted: forged or damaged on its way", e);
    } finally {
      if (!opened) {
        frame.release();
      }
    }
    if (opened) {
      context.fireChannelRead(frame);
    }
  }

  @Override
  public void close(ChannelHandlerContext context, ChannelPromise promise) {
    // What was written before still leaves, as it does from a plain socket when it can.
    if (filling != null && !broken) {
      flush(context);
    }
    context.close(promise);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    release(new Libp2pException("noise: the connection was closed"));
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    release(new Libp2pException("noise: its codec was removed"));
  }

  private void release(Libp2pException reason) {
    broken = true;
    if (partial != null) {
      partial.release();
      partial = null;
    }
    if (filling != null) {
      filling.release();
      filling = null;
    }
    List<ChannelPromise> promises = waiting;
    waiting = null;
    if (promises != null) {
      promises.forEach(promise -> promise.tryFailure(reason));
    }
  }
}
