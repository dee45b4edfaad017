package io.rigmesh.libp2p.transport;

import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.resource.StreamScope;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// Stands where a host stands behind a listener: keeps what comes, and counts what is in use.
public final class RecordingAcceptor implements ConnectionAcceptor {
  private final BlockingQueue<SecuredConnection> accepted = new LinkedBlockingQueue<>();
  private final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
  private final BlockingQueue<DuplexChannel> streams = new LinkedBlockingQueue<>();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicLong memoryBytes = new AtomicLong();
  private volatile int openMax = Integer.MAX_VALUE;
  private volatile Consumer<DuplexChannel> server = streams::add;

  /// What is done with each stream that comes; by default it waits in [#awaitStream].
  public RecordingAcceptor serving(Consumer<DuplexChannel> server) {
    this.server = server;
    return this;
  }

  public RecordingAcceptor admitting(int openMax) {
    this.openMax = openMax;
    return this;
  }

  /// Connections that are admitted and not gone.
  public int open() {
    return open.get();
  }

  public int refused() {
    return refused.get();
  }

  public long memoryBytes() {
    return memoryBytes.get();
  }

  public SecuredConnection awaitConnection() throws InterruptedException {
    return present(accepted.poll(60, TimeUnit.SECONDS), "connection");
  }

  public Throwable awaitFailure() throws InterruptedException {
    return present(failures.poll(60, TimeUnit.SECONDS), "failure");
  }

  public DuplexChannel awaitStream() throws InterruptedException {
    return present(streams.poll(60, TimeUnit.SECONDS), "stream");
  }

  public boolean hasConnection() {
    return !accepted.isEmpty();
  }

  private static <T> T present(T value, String what) {
    if (value == null) {
      throw new AssertionError("No " + what + " came within 60 s");
    }
    return value;
  }

  @Override
  public ConnectionScope admit(Multiaddr remoteAddress) {
    if (open.get() >= openMax) {
      refused.incrementAndGet();
      throw new ResourceLimitException("The test admits " + openMax + " connections");
    }
    return scope();
  }

  /// An account that is counted in [#open] until it is closed.
  public ConnectionScope scope() {
    open.incrementAndGet();
    return new Scope();
  }

  @Override
  public StreamAcceptor streams() {
    return stream -> server.accept(stream);
  }

  @Override
  public void accept(SecuredConnection connection, ConnectionScope scope, StreamAcceptor streams) {
    connection.session().closed().thenRun(scope::close);
    accepted.add(connection);
  }

  @Override
  public void failed(Multiaddr remoteAddress, ConnectionScope scope, Throwable cause) {
    scope.close();
    failures.add(cause);
  }

  private final class Scope implements ConnectionScope {
    private final AtomicLong own = new AtomicLong();
    private boolean closed;

    @Override
    public void setPeer(PeerId peer) {}

    @Override
    public StreamScope openStream(Direction direction) {
      throw new UnsupportedOperationException("A transport opens no stream scopes");
    }

    @Override
    public void reserveMemory(long bytes) {
      own.addAndGet(bytes);
      memoryBytes.addAndGet(bytes);
    }

    @Override
    public void releaseMemory(long bytes) {
      own.addAndGet(-bytes);
      memoryBytes.addAndGet(-bytes);
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        // First what a test looks at when nothing is open any more.
        memoryBytes.addAndGet(-own.getAndSet(0));
        open.decrementAndGet();
      }
    }
  }
}
