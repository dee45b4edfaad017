package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Gathers the actions of one call of the router; what is control for one peer leaves in one RPC
/// (gossipsub 1.0, "Control Message Piggybacking"). Not thread-safe.
final class Outbox {
  private final Map<PeerId, Rpc.Builder> control = new LinkedHashMap<>();
  private final Map<PeerId, Rpc.Builder> gossip = new LinkedHashMap<>();
  private final List<Action> actions = new ArrayList<>();

  /// Where GRAFT, PRUNE, IDONTWANT and subscriptions for a peer go.
  Rpc.Builder control(PeerId peer) {
    return control.computeIfAbsent(peer, p -> Rpc.builder());
  }

  /// Where IHAVE and IWANT for a peer go.
  Rpc.Builder gossip(PeerId peer) {
    return gossip.computeIfAbsent(peer, p -> Rpc.builder());
  }

  void message(PeerId peer, Rpc message, Priority priority) {
    actions.add(new Action.Send(peer, message, priority));
  }

  void add(Action action) {
    actions.add(action);
  }

  /// Hands everything out: control first, gossip last.
  List<Action> take() {
    List<Action> out = new ArrayList<>(control.size() + actions.size() + gossip.size());
    control.forEach((peer, rpc) -> out.add(new Action.Send(peer, rpc.build(), Priority.CONTROL)));
    out.addAll(actions);
    gossip.forEach((peer, rpc) -> out.add(new Action.Send(peer, rpc.build(), Priority.GOSSIP)));
    control.clear();
    actions.clear();
    gossip.clear();
    return out;
  }
}
