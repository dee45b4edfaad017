package io.rigmesh.libp2p.yamux;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.resource.StreamScope;
import java.util.concurrent.atomic.AtomicLong;

/// A connection's account with a memory limit of its own.
final class CountedScope implements ConnectionScope {
  private final long bytesMax;
  private final AtomicLong bytes = new AtomicLong();

  CountedScope(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  long bytes() {
    return bytes.get();
  }

  @Override
  public void reserveMemory(long more) {
    if (bytes.addAndGet(more) > bytesMax) {
      bytes.addAndGet(-more);
      throw new ResourceLimitException("this test's " + bytesMax + " bytes are in use");
    }
  }

  @Override
  public void releaseMemory(long less) {
    if (bytes.addAndGet(-less) < 0) {
      throw new IllegalStateException("More memory is released than was reserved");
    }
  }

  @Override
  public void setPeer(PeerId peer) {}

  @Override
  public StreamScope openStream(Direction direction) {
    throw new UnsupportedOperationException("yamux counts no streams: the host does");
  }

  @Override
  public void close() {}
}
