package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.function.Consumer;

/// The world as a [KadNode] sees it: time, timers, and other peers. Everything it calls back, it
/// calls on the node's one thread, and never from inside the call that asked for it.
interface KadNetwork {
  /// What became of a question.
  sealed interface Outcome {
    /// @param from where the peer was proven to be
    record Answered(KadMessage message, Multiaddr from) implements Outcome {}

    /// No connection could be made.
    record Unreachable(String reason) implements Outcome {}

    /// There was a connection, but no proper answer in time.
    record Broken(String reason) implements Outcome {}

    /// It was not asked, because of limits of our own: this says nothing of the peer.
    record NotAsked(String reason) implements Outcome {}
  }

  /// Milliseconds of a clock that does not go back.
  long now();

  /// Runs a task later, unless the node is closed by then.
  void after(long millis, Runnable task);

  /// Sends messages in order on one stream, of which only the last is one that is answered.
  void ask(PeerAddress peer, List<KadMessage> messages, Consumer<Outcome> done);

  /// Where a peer is known to be.
  List<Multiaddr> addresses(PeerId peer);

  /// Those of them that a peer with this scope can use, at most [KadMessage#ADDRESSES_MAX].
  List<Multiaddr> addresses(PeerId peer, AddressScope scope);

  /// Where others may reach this node.
  List<Multiaddr> ownAddresses();

  /// Remembers for a while where a peer is said to be.
  void remember(PeerAddress peer);
}
