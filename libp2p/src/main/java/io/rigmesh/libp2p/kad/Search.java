package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import java.util.List;
import java.util.function.Consumer;

/// Runs a [Lookup] over the network until it ends, is stopped by an answer, or its time is over.
/// Single-threaded.
final class Search {
  /// Looks at each answer, before those that it names are asked.
  @FunctionalInterface
  interface Reader {
    /// @param scope what addresses the answer may be believed to name
    /// @param regular whether it is not one of a crowd ([Lookup])
    /// @return whether the search has found what it wanted
    boolean read(PeerId from, KadMessage answer, AddressScope scope, boolean regular);
  }

  private final KadNetwork network;
  private final Neighbours neighbours;
  private final Lookup lookup;
  private final KadMessage request;
  private final Reader reader;
  private final Consumer<Lookup> done;
  private boolean ended;

  private Search(
      KadNetwork network,
      Neighbours neighbours,
      Lookup lookup,
      KadMessage request,
      Reader reader,
      Consumer<Lookup> done) {
    this.network = network;
    this.neighbours = neighbours;
    this.lookup = lookup;
    this.request = request;
    this.reader = reader;
    this.done = done;
  }

  /// Starts; `done` is called once, never from inside this call.
  static void start(
      KadNetwork network,
      Neighbours neighbours,
      Lookup lookup,
      KadMessage request,
      long millisMax,
      Reader reader,
      Consumer<Lookup> done) {
    Search search = new Search(network, neighbours, lookup, request, reader, done);
    network.after(0, search::step);
    network.after(millisMax, search::end);
  }

  private void step() {
    if (ended) {
      return;
    }
    for (PeerAddress peer : lookup.next()) {
      network.ask(peer, List.of(request), outcome -> take(peer.peer(), outcome));
    }
    if (lookup.finished()) {
      end();
    }
  }

  private void take(PeerId peer, KadNetwork.Outcome outcome) {
    if (outcome instanceof KadNetwork.Outcome.Answered answer) {
      neighbours.answered(peer, answer.from());
    } else {
      neighbours.failed(peer, outcome);
    }
    if (ended) {
      return;
    }
    if (outcome instanceof KadNetwork.Outcome.Answered answer) {
      AddressScope scope = AddressScope.of(answer.from());
      boolean regular =
          lookup.answered(
              peer,
              IpGroup.of(answer.from()).orElse(null),
              answer.message().closer(),
              named -> usable(named, scope));
      if (reader.read(peer, answer.message(), scope, regular)) {
        lookup.stop();
      }
    } else {
      lookup.failed(peer);
    }
    step();
  }

  private void end() {
    if (!ended) {
      ended = true;
      done.accept(lookup);
    }
  }

  /// The addresses that can be dialled, or else those that are known already.
  private PeerAddress usable(PeerAddress named, AddressScope scope) {
    PeerAddress usable = UsableAddresses.of(named, scope);
    return usable.addresses().isEmpty()
        ? new PeerAddress(named.peer(), network.addresses(named.peer()))
        : usable;
  }
}
