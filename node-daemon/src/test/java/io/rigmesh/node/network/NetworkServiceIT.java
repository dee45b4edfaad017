package io.rigmesh.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.autonat.AddressVerdict;
import io.rigmesh.libp2p.autonat.Reachability;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.kad.KademliaMode;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.config.BlobsConfig;
import io.rigmesh.node.config.NetworkConfig;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.blob.BlobServer;
import io.rigmesh.node.network.blob.BlobSource;
import io.rigmesh.protocol.Hash;
import java.io.ByteArrayInputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Nodes' places in a network of their own on loopback: dialled back, and found by what they hold.
@Timeout(600)
class NetworkServiceIT {
  private static final List<Multiaddr> LISTEN = List.of(Multiaddr.of("/ip4/127.0.0.1/tcp/0"));
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long MANY = 1L << 30;

  @TempDir Path folder;
  private final List<NetworkService> nodes = new ArrayList<>();
  private NetworkService bootstrap;

  @BeforeEach
  void startBootstrap() {
    bootstrap = node(LISTEN, List.of());
    serve(bootstrap, store("bootstrap"));
    bootstrap.start();
  }

  @AfterEach
  void stop() {
    nodes.reversed().forEach(NetworkService::stop);
  }

  /// A node that knows the bootstrap peer alone, where there is one.
  private NetworkService node(List<Multiaddr> listen, List<Multiaddr> announce) {
    List<Multiaddr> first =
        nodes.isEmpty()
            ? List.of()
            : List.of(bootstrap.host().listenAddresses().getFirst().withPeerId(bootstrap.self()));
    NetworkConfig config =
        new NetworkConfig(
            listen,
            first,
            announce,
            folder.resolve("unused.key"),
            true,
            false,
            false,
            false,
            KademliaMode.SERVER,
            128,
            0,
            4096);
    NetworkService node =
        new NetworkService(
            config,
            folder.resolve("peers-" + nodes.size()),
            Ed25519PrivateKey.generate(new SecureRandom()),
            "test/1");
    nodes.add(node);
    return node;
  }

  private FileBlobs store(String name) {
    return FileBlobs.open(folder.resolve(name), new BlobsConfig(MANY, 0));
  }

  /// Hands a store's blobs to everyone.
  private static void serve(NetworkService node, FileBlobs blobs) {
    node.add((host, gossip) -> {
      new BlobServer(blobs, (_, _, _, _) -> true, 0).serveOn(host);
      return () -> {};
    });
  }

  private static void awaitPeer(NetworkService node) throws InterruptedException {
    Peers.await(
        "the bootstrap peer keeps records for it",
        () -> !node.host().connections().isEmpty() && node.view().table() > 0);
  }

  @Test
  void aCheckTellsThatAnotherHasDialledThisNodeBack() throws Exception {
    NetworkService node = node(LISTEN, List.of());
    node.start();
    awaitPeer(node);
    NetworkView view = node.check(PATIENCE);
    assertThat(view.verdicts())
        .singleElement()
        .satisfies(verdict -> {
          assertThat(verdict.address()).isEqualTo(node.host().listenAddresses().getFirst());
          assertThat(verdict.state()).isEqualTo(Reachability.PUBLIC);
        });
    Peers.await(
        "the node knows that it is reached",
        () -> node.view().reachability() == Reachability.PUBLIC);
  }

  @Test
  void aCheckTellsThatNobodyReachesThisNode() throws Exception {
    int closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closed = socket.getLocalPort();
    }
    NetworkService node = node(List.of(), List.of(Multiaddr.of("/ip4/127.0.0.1/tcp/" + closed)));
    node.start();
    awaitPeer(node);
    NetworkView view = node.check(PATIENCE);
    assertThat(view.verdicts())
        .extracting(AddressVerdict::state)
        .containsExactly(Reachability.PRIVATE);
    Peers.await(
        "the node knows that it is not", () -> node.view().reachability() == Reachability.PRIVATE);
  }

  @Test
  void aBlobComesFromAProviderThatOnlyTheNetworkKnows() throws Exception {
    byte[] bytes = new byte[3_000_000];
    new Random(1).nextBytes(bytes);
    FileBlobs there = store("there");
    final Hash root = there.put(new ByteArrayInputStream(bytes), Optional.empty(), MANY);
    NetworkService provider = node(LISTEN, List.of());
    serve(provider, there);
    provider.start();
    awaitPeer(provider);
    assertThat(provider.provide(root).get()).isPositive();

    NetworkService asker = node(LISTEN, List.of());
    asker.start();
    awaitPeer(asker);
    // Nobody told it of the provider; Kademlia may have met it by now, and need not have.
    assertThat(asker.providers(root)).containsExactly(provider.self());
    FileBlobs here = store("here");
    BlobFetcher fetcher =
        new BlobFetcher(
            asker,
            here,
            new Blames((peer, reason) -> asker.host().disconnect(peer, reason)),
            asker::providers);
    // The peer that is asked first does not have it.
    fetcher.fetch(BlobSource.open(bootstrap.self()), root, MANY);
    assertThat(here.open(root).readAllBytes()).isEqualTo(bytes);
    assertThat(asker.host().connections(provider.self())).isNotEmpty();
  }
}
