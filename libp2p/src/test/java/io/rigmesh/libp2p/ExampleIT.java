package io.rigmesh.libp2p;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.gossip.Gossip;
import io.rigmesh.libp2p.gossip.GossipConfig;
import io.rigmesh.libp2p.gossip.Gossipsub;
import io.rigmesh.libp2p.gossip.Topic;
import io.rigmesh.libp2p.gossip.Topic.Verdict;
import io.rigmesh.libp2p.kad.Kademlia;
import io.rigmesh.libp2p.kad.KademliaConfig;
import io.rigmesh.libp2p.kad.KademliaMode;
import java.security.MessageDigest;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The example of docs/libp2p.md between two hosts.
class ExampleIT {
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

  private Host start() {
    return HostBuilder.anonymous()
        .listen("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1")
        .start();
  }

  @Test
  void aChatAGossipAndALookup() throws Exception {
    try (Host host = start();
        Host other = start()) {
      ProtocolId chat = new ProtocolId("/chat/1.0.0");
      other.handle(
          chat,
          StreamHandler.blocking((stream, io) -> {
            for (var line = io.readMessage(4096); line.isPresent(); line = io.readMessage(4096)) {
              heard.add(stream.peer() + ": " + new String(line.get(), UTF_8));
            }
          }));
      Connection friend = host.connect(new PeerAddress(other.id(), other.listenAddresses())).join();
      Stream stream = host.open(friend.peer(), chat).join();
      stream.blocking().writeMessage("hello".getBytes(UTF_8));
      stream.closeWrite();
      assertThat(heard.poll(60, TimeUnit.SECONDS)).isEqualTo(host.id() + ": hello");

      try (Gossip mine = Gossipsub.start(host, GossipConfig.defaults());
          Gossip theirs = Gossipsub.start(other, GossipConfig.defaults())) {
        Topic weather = theirs.topic("weather");
        weather.validator(
            message -> message.data().size() < 1000 ? Verdict.ACCEPT : Verdict.REJECT);
        weather.subscribe(
            message -> heard.add(message.from() + ": " + message.data().toStringUtf8()));
        Topic ours = mine.topic("weather");
        Eventually.await("the subscription is known", () -> !ours.peers().isEmpty());
        ours.publish("rain".getBytes(UTF_8)).join();
        assertThat(heard.poll(60, TimeUnit.SECONDS)).isEqualTo(host.id() + ": rain");
      }

      KademliaConfig server = KademliaConfig.builder().mode(KademliaMode.SERVER).build();
      try (Kademlia mine = Kademlia.start(host, server);
          Kademlia theirs = Kademlia.start(other, server)) {
        Eventually.await(
            "both are in each other's tables",
            () -> mine.tableSize() == 1 && theirs.tableSize() == 1);
        byte[] digest = MessageDigest.getInstance("SHA-256").digest("a model".getBytes(UTF_8));
        byte[] multihash = new byte[34];
        multihash[0] = 0x12;
        multihash[1] = 32;
        System.arraycopy(digest, 0, multihash, 2, 32);
        theirs.provide(multihash).join();
        List<PeerAddress> providers = mine.findProviders(multihash, 5, found -> {}).join();
        assertThat(providers).extracting(PeerAddress::peer).contains(other.id());
      }
    }
  }
}
