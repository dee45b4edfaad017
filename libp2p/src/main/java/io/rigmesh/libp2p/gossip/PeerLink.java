package io.rigmesh.libp2p.gossip;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The two one-way streams to one peer (pubsub, "Stream management"), and what waits at either end:
/// RPCs to send, and messages to check. Thread-safe.
final class PeerLink {
  /// Messages of one peer that wait for their check hold at most so many bytes.
  private static final long INCOMING_BYTES_MAX = 2L * 1024 * 1024;

  private static final Duration IDLE_MIN = Duration.ofSeconds(5);

  final PeerId peer;
  final MessageQueue incoming;
  private final long madeNanos = System.nanoTime();
  private final OutgoingQueue outgoing;
  private final Consumer<PeerLink> lost;
  private final AtomicBoolean sending = new AtomicBoolean();
  private volatile @Nullable Stream outbound;
  private volatile @Nullable Stream inbound;
  private boolean wasOpened;
  private boolean closed;

  /// @param lost hears, on an event loop, that the stream to the peer has gone
  PeerLink(PeerId peer, GossipLimits limits, Consumer<PeerLink> lost) {
    this.peer = peer;
    this.lost = lost;
    this.outgoing = new OutgoingQueue(limits.outgoingBytesMax());
    this.incoming = new MessageQueue(limits.incomingMessagesMax(), INCOMING_BYTES_MAX);
  }

  /// Queues an RPC. When not even control fits, the peer has not read for long: the stream is
  /// reset, and what both sides know is told anew on the next one.
  void send(Rpc rpc, Priority priority) {
    boolean queued = outgoing.offer(rpc, priority);
    Stream stream = outbound;
    if (stream == null) {
      return;
    }
    if (!queued && priority == Priority.CONTROL) {
      stream.reset();
    } else if (sending.compareAndSet(false, true)) {
      stream.channel().eventLoop().execute(() -> drain(stream));
    }
  }

  /// Writes while the channel takes more; on its event loop.
  private void drain(Stream stream) {
    sending.set(false);
    DuplexChannel channel = stream.channel();
    boolean written = false;
    while (channel.isActive() && channel.isWritable()) {
      Optional<Rpc> next = outgoing.poll();
      if (next.isEmpty()) {
        break;
      }
      channel.write(RpcCodec.frame(next.get()));
      written = true;
    }
    if (written) {
      channel.flush();
    }
  }

  /// The stream to the peer is open. Returns whether one was before, so that the peer must be
  /// greeted again.
  synchronized boolean opened(Stream stream) {
    if (closed) {
      stream.reset();
      return false;
    }
    boolean again = wasOpened;
    wasOpened = true;
    outbound = stream;
    DuplexChannel channel = stream.channel();
    channel
        .eventLoop()
        .execute(() -> {
          channel.pipeline().addLast("gossip", new Writer(stream));
          channel.config().setAutoRead(true);
          if (channel.isActive()) {
            drain(stream);
          } else {
            lost(stream);
          }
        });
    return again;
  }

  private void lost(Stream stream) {
    synchronized (this) {
      if (outbound != stream) {
        return;
      }
      outbound = null;
    }
    lost.accept(this);
  }

  boolean hasOutbound() {
    return outbound != null;
  }

  /// Whether there has been no stream either way for some seconds since it was made.
  boolean isIdle() {
    return outbound == null
        && inbound == null
        && System.nanoTime() - madeNanos > IDLE_MIN.toNanos();
  }

  /// The peer has opened its stream; an earlier one is given up.
  synchronized boolean accepted(Stream stream) {
    if (closed) {
      return false;
    }
    Stream earlier = inbound;
    inbound = stream;
    if (earlier != null) {
      earlier.reset();
    }
    return true;
  }

  /// The peer's stream has ended.
  synchronized void ended(Stream stream) {
    if (inbound == stream) {
      inbound = null;
    }
  }

  /// Sends what waits, then closes; completes when the stream is gone.
  CompletableFuture<Void> finish() {
    Stream stream = outbound;
    CompletableFuture<Void> done = new CompletableFuture<>();
    if (stream == null) {
      done.complete(null);
    } else {
      stream
          .channel()
          .eventLoop()
          .execute(() -> {
            drain(stream);
            stream.closeWrite().whenComplete((nothing, failure) -> done.complete(null));
          });
    }
    return done;
  }

  /// Gives both streams up at once.
  synchronized void close() {
    closed = true;
    incoming.end();
    Stream out = outbound;
    outbound = null;
    if (out != null) {
      out.reset();
    }
    Stream in = inbound;
    inbound = null;
    if (in != null) {
      in.reset();
    }
  }

  long outgoingBytes() {
    return outgoing.bytes();
  }

  /// Goes on writing when the channel drains; drops what the peer writes on a stream that is not
  /// for it to write on.
  private final class Writer extends ChannelInboundHandlerAdapter {
    private final Stream stream;

    Writer(Stream stream) {
      this.stream = stream;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      drain(stream);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      // The peer has closed its half, which it never uses.
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      lost(stream);
    }
  }
}
