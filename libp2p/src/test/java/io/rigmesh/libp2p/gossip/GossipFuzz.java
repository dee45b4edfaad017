package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What a fuzzer may feed gossipsub.
public final class GossipFuzz {
  private GossipFuzz() {}

  /// An RPC with something of every kind.
  public static byte[] seed() {
    Rpc.Builder rpc = Rpc.builder();
    MessageId id = Messages.message("topic", Messages.peer(1), 7, "data").id();
    rpc.subscriptions.add(new Rpc.Subscription("topic", true));
    rpc.messages.add(Messages.message("topic", Messages.peer(1), 7, "data"));
    rpc.haves.add(new Rpc.Have("topic", List.of(id)));
    rpc.wanted.add(id);
    rpc.grafts.add("topic");
    rpc.prunes.add(new Rpc.Prune("topic", List.of(), Optional.of(Duration.ofSeconds(60))));
    rpc.unwanted.add(id);
    return RpcCodec.encode(rpc.build());
  }

  /// Reads an RPC; what was understood reads back, but for what was wrong with it.
  public static void rpc(byte[] bytes) {
    Rpc rpc;
    try {
      rpc = RpcCodec.decode(bytes, 4096);
    } catch (PeerMisbehaviourException e) {
      return;
    }
    rpc.messages().forEach(MessageSigner::fault);
    Rpc again = RpcCodec.decode(RpcCodec.encode(rpc), 4096);
    if (!again.messages().equals(rpc.messages())
        || !again.grafts().equals(rpc.grafts())
        || !again.prunes().equals(rpc.prunes())
        || !again.wanted().equals(rpc.wanted())) {
      throw new IllegalStateException("Does not read back: " + rpc);
    }
  }
}
