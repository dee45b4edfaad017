package io.rigmesh.node.network.blob;

import com.google.protobuf.ByteString;
import io.netty.buffer.Unpooled;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.network.TokenBucket;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.wire.BlobWire;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/// Hands out chunks of blobs over `/rigmesh/blob/1.0.0`: one request at a time on a stream, so many
/// streams in all, and so many bytes a second.
public final class BlobServer {
  private static final Duration IDLE_MAX = Duration.ofSeconds(60);

  /// How many streams are served at once; each holds one chunk in memory.
  private static final int STREAMS_MAX = 32;

  private static final int WAITING_MAX = 256;
  private static final double BURST_BYTES = 4 << 20;

  private final Blobs blobs;
  private final BlobAccess access;
  private final Optional<TokenBucket> rate;
  private final Semaphore admitted = new Semaphore(WAITING_MAX);
  private final Semaphore busy = new Semaphore(STREAMS_MAX, true);
  private final LongAdder bytesSent = new LongAdder();

  /// The server of a node's blobs.
  ///
  /// @param bytesPerSecondMax over all peers; 0 for no bound
  public BlobServer(Blobs blobs, BlobAccess access, long bytesPerSecondMax) {
    this.blobs = blobs;
    this.access = access;
    this.rate =
        bytesPerSecondMax == 0
            ? Optional.empty()
            : Optional.of(new TokenBucket(bytesPerSecondMax, BURST_BYTES, System::nanoTime));
  }

  /// Serves the protocol on a host.
  public void serveOn(Host host) {
    host.handle(BlobProtocol.ID, StreamHandler.blocking(this::serve));
  }

  /// How many bytes of blobs were handed out since the daemon started.
  public long bytesSent() {
    return bytesSent.sum();
  }

  private void serve(Stream stream, BlockingStream io) throws InterruptedException {
    io.timeout(IDLE_MAX);
    if (!admitted.tryAcquire()) {
      io.writeMessage(
          BlobProtocol.refused(
              new Refusal(RefusalCode.BUSY, WAITING_MAX + " streams are open; try again later")));
      return;
    }
    try {
      for (Optional<byte[]> message = io.readMessage(BlobProtocol.REQUEST_BYTES_MAX);
          message.isPresent();
          message = io.readMessage(BlobProtocol.REQUEST_BYTES_MAX)) {
        answer(stream, io, BlobProtocol.request(message.get()));
      }
    } finally {
      admitted.release();
    }
  }

  private void answer(Stream stream, BlockingStream io, BlobWire.Request request)
      throws InterruptedException {
    try {
      Hash root = Hash.of(request.getRoot().toByteArray());
      boolean allowed = access.mayRead(stream.peer(), root, job(request), pass(request));
      if (!allowed || !blobs.has(root)) {
        // The same words for both, so that nobody learns what is here by asking.
        io.writeMessage(
            BlobProtocol.refused(
                new Refusal(
                    RefusalCode.UNKNOWN_INPUT,
                    "there is no blob " + root + " for " + stream.peer() + " here")));
        return;
      }
      switch (request.getWhatCase()) {
        case DESCRIBE -> io.writeMessage(describe(root));
        case CHUNKS -> sendChunks(io, root, request.getChunks());
        case WHAT_NOT_SET ->
            io.writeMessage(
                BlobProtocol.refused(
                    new Refusal(
                        RefusalCode.UNSUPPORTED, "a request asks to describe, or for chunks")));
      }
    } catch (MalformedException e) {
      io.writeMessage(BlobProtocol.refused(new Refusal(RefusalCode.MALFORMED, e.sentence())));
    } catch (BlobRefusedException e) {
      io.writeMessage(BlobProtocol.refused(e.refusal()));
    }
  }

  private static Optional<Hash> job(BlobWire.Request request) {
    return request.getJobId().isEmpty()
        ? Optional.empty()
        : Optional.of(Hash.of(request.getJobId().toByteArray()));
  }

  private static Optional<Signature> pass(BlobWire.Request request) {
    return request.getPass().isEmpty()
        ? Optional.empty()
        : Optional.of(Signature.of(request.getPass().toByteArray()));
  }

  private BlobWire.Response describe(Hash root) {
    List<Hash> leaves = blobs.leaves(root);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(leaves.size() * Hash.BYTES);
    leaves.forEach(leaf -> bytes.writeBytes(leaf.bytes()));
    return BlobWire.Response.newBuilder()
        .setDescription(
            BlobWire.Description.newBuilder()
                .setSizeBytes(blobs.sizeBytes(root).orElseThrow())
                .setLeaves(ByteString.copyFrom(bytes.toByteArray())))
        .build();
  }

  private void sendChunks(BlockingStream io, Hash root, BlobWire.Chunks wanted)
      throws InterruptedException {
    if (wanted.getCount() < 1 || wanted.getCount() > BlobProtocol.CHUNKS_MAX) {
      throw new MalformedException(
          "a request asks for 1 to " + BlobProtocol.CHUNKS_MAX + " chunks");
    }
    for (int i = 0; i < wanted.getCount(); i++) {
      int index = Math.addExact(wanted.getFirst(), i);
      busy.acquire();
      try {
        byte[] chunk = blobs.chunk(root, index);
        if (rate.isPresent()) {
          TimeUnit.NANOSECONDS.sleep(rate.get().takeNanos(chunk.length));
        }
        io.writeMessage(
            BlobWire.Response.newBuilder()
                .setChunk(BlobWire.Chunk.newBuilder().setIndex(index).setLength(chunk.length))
                .build());
        io.write(Unpooled.wrappedBuffer(chunk));
        bytesSent.add(chunk.length);
      } finally {
        busy.release();
      }
    }
  }
}
