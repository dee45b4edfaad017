package io.rigmesh.libp2p;

import io.netty.channel.socket.nio.NioSocketChannel;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// A connection of which a few facts are known and nothing else works, for logic that looks only at
/// those. Equal only to itself.
public final class KnownConnection implements Connection {
  private final PeerId peer;
  private final Direction direction;
  private final Instant openedAt;
  private final boolean limited;
  private final int streams;

  public KnownConnection(
      PeerId peer, Direction direction, Instant openedAt, boolean limited, int streams) {
    this.peer = peer;
    this.direction = direction;
    this.openedAt = openedAt;
    this.limited = limited;
    this.streams = streams;
  }

  @Override
  public PeerId peer() {
    return peer;
  }

  @Override
  public Direction direction() {
    return direction;
  }

  @Override
  public Instant openedAt() {
    return openedAt;
  }

  @Override
  public boolean limited() {
    return limited;
  }

  @Override
  public List<Stream> streams() {
    List<Stream> all = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      NioSocketChannel channel = new NioSocketChannel();
      channel.unsafe().closeForcibly();
      all.add(new Stream(this, channel, new ProtocolId("/x"), direction, () -> {}));
    }
    return all;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public PublicKey remoteKey() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Multiaddr localAddress() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Multiaddr remoteAddress() {
    return Multiaddr.of("/ip4/9.8.7.6/tcp/4001");
  }

  @Override
  public String security() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String muxer() {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Stream> open(List<ProtocolId> protocols) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> close(String reason) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<String> closed() {
    throw new UnsupportedOperationException();
  }
}
