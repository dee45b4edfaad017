package io.rigmesh.node.network;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.blob.BlobServer;
import io.rigmesh.node.network.offers.OfferExchange;
import io.rigmesh.protocol.Offer;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;

/// The network as the node's interfaces see it. Safe for use by several threads.
public final class NetworkDesk {
  private static final Duration CHECK_MAX = Duration.ofSeconds(15);

  private final NetworkService network;
  private final OfferExchange offers;
  private final BlobServer blobServer;
  private final BlobFetcher fetcher;
  private final Blames blames;

  /// The desk of a node.
  public NetworkDesk(
      NetworkService network,
      OfferExchange offers,
      BlobServer blobServer,
      BlobFetcher fetcher,
      Blames blames) {
    this.network = network;
    this.offers = offers;
    this.blobServer = blobServer;
    this.fetcher = fetcher;
    this.blames = blames;
  }

  /// This node's peer id.
  public PeerId self() {
    return network.self();
  }

  /// The open connections, the oldest first.
  public List<PeerView> peers() {
    return network.connections().stream()
        .sorted(Comparator.comparing(Connection::openedAt))
        .map(this::view)
        .toList();
  }

  private PeerView view(Connection connection) {
    return new PeerView(
        connection.peer(),
        connection.remoteAddress(),
        connection.direction(),
        network.agent(connection.peer()),
        connection.security(),
        connection.muxer(),
        connection.limited(),
        connection.streams().size(),
        connection.openedAt(),
        blames.of(connection.peer()));
  }

  /// The offers that hold now, by peer.
  public List<Offer> offers() {
    return offers.live();
  }

  /// How the node stands.
  public NetworkView view() {
    return network.view();
  }

  /// How the node stands after peers were asked to dial it; waits for their answers.
  public NetworkView check() {
    return network.check(CHECK_MAX);
  }

  /// Why the node is not in the network, one sentence each.
  public List<String> troubles() {
    return network.troubles();
  }

  /// Numbers for metrics.
  public NetworkStats stats() {
    List<Connection> connections = network.connections();
    if (connections.isEmpty() && !network.isRunning()) {
      return NetworkStats.NONE;
    }
    int inbound =
        (int) connections.stream().filter(c -> c.direction() == Direction.INBOUND).count();
    var usage = network.usage();
    return new NetworkStats(
        (int) connections.stream().map(Connection::peer).distinct().count(),
        inbound,
        connections.size() - inbound,
        usage.inboundStreams(),
        usage.outboundStreams(),
        usage.memoryBytes(),
        offers.live().size(),
        blobServer.bytesSent(),
        fetcher.bytesReceived(),
        blames.total());
  }
}
