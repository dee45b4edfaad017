package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.List;

/// A node that joins meshes and forwards nothing; what else it does is its kind.
final class Attacker extends SimulatedNetwork.Node {
  enum Kind {
    /// Says nothing at all: messages through it are lost.
    SILENT,
    /// Sends messages that the validator refuses.
    SPAM,
    /// Sends messages with wrong signatures, and in others' names.
    FORGE,
    /// Grafts again and again, whatever the backoff.
    GRAFT,
    /// Tells of messages that do not exist.
    LIE
  }

  private static final int BURST = 3;

  private final SimulatedNetwork network;
  final Kind kind;
  private long sequence;

  Attacker(SimulatedNetwork network, Kind kind) {
    network.super();
    this.network = network;
    this.kind = kind;
  }

  @Override
  void connected(PeerId peer, boolean outbound) {
    Rpc.Builder hello = Rpc.builder();
    hello.subscriptions.add(new Rpc.Subscription(SimulatedNetwork.TOPIC, true));
    hello.grafts.add(SimulatedNetwork.TOPIC);
    send(peer, hello.build());
  }

  @Override
  void receive(PeerId from, Rpc rpc) {}

  @Override
  void heartbeat() {
    List<PeerId> peers = new ArrayList<>(latencies.keySet());
    List<Message> burst = burst(peers);
    for (PeerId peer : peers) {
      Rpc.Builder rpc = Rpc.builder();
      // All of them want into the mesh; most wait long enough not to be punished for that.
      if (kind == Kind.GRAFT || network.random.nextInt(70) == 0) {
        rpc.grafts.add(SimulatedNetwork.TOPIC);
      }
      rpc.messages.addAll(burst);
      if (kind == Kind.LIE) {
        List<MessageId> ids = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
          byte[] made = new byte[42];
          network.random.nextBytes(made);
          ids.add(new MessageId(ByteString.copyFrom(made)));
        }
        rpc.haves.add(new Rpc.Have(SimulatedNetwork.TOPIC, ids));
      }
      Rpc built = rpc.build();
      if (built.size() > Rpc.builder().build().size()) {
        send(peer, built);
      }
    }
  }

  private List<Message> burst(List<PeerId> peers) {
    List<Message> burst = new ArrayList<>();
    for (int i = 0; i < BURST; i++) {
      if (kind == Kind.SPAM) {
        burst.add(Messages.message(SimulatedNetwork.TOPIC, id, ++sequence, "spam"));
      } else if (kind == Kind.FORGE) {
        PeerId victim = peers.get(network.random.nextInt(peers.size()));
        // The number is one that the victim will use soon.
        burst.add(Messages.message(SimulatedNetwork.TOPIC, victim, ++sequence % 20 + 1, "forged"));
      }
    }
    return burst;
  }
}
