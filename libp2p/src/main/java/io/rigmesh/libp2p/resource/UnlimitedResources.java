package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;

/// Counts nothing.
enum UnlimitedResources implements ResourceManager {
  INSTANCE;

  @Override
  public ConnectionScope openConnection(Direction direction, Multiaddr remoteAddress) {
    return new Unlimited();
  }

  @Override
  public ResourceUsage usage() {
    return new ResourceUsage(0, 0, 0, 0, 0, 0);
  }

  private static final class Unlimited implements ConnectionScope, StreamScope {
    @Override
    public void setPeer(PeerId peer) {}

    @Override
    public void setProtocol(ProtocolId protocol) {}

    @Override
    public StreamScope openStream(Direction direction) {
      return new Unlimited();
    }

    @Override
    public void reserveMemory(long bytes) {}

    @Override
    public void releaseMemory(long bytes) {}

    @Override
    public void close() {}
  }
}
