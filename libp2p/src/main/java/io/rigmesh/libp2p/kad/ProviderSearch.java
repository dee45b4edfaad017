package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Looks for the providers of one key (the specification's "Content provider discovery").
///
/// It ends early when enough are found, and then one answer must not be enough: a liar could name
/// as many providers as are wanted, none of them real. So of one answer's providers only a quarter
/// of what is wanted counts at once, and of a crowd's ([Lookup]) none; the rest wait for the end,
/// and fill what is still missing. Single-threaded; for one search.
final class ProviderSearch {
  private static final int KNOWN_MAX = 2_000;

  /// @param providers in the order in which they were found
  /// @param hops how many peers one after the other led to the first record; -1 without one, 0 when
  ///   this node held it itself
  /// @param asked how many peers were asked
  record Result(List<PeerAddress> providers, int hops, int asked) {}

  private static final class Provider {
    final PeerId peer;
    final Set<Multiaddr> addresses = new LinkedHashSet<>();
    boolean found;

    Provider(PeerId peer) {
      this.peer = peer;
    }
  }

  private final KadNode node;
  private final KadNetwork network;
  private final PeerId self;
  private final int max;
  private final int perAnswer;
  private final Consumer<PeerAddress> listener;
  private final Map<PeerId, Provider> known = new LinkedHashMap<>();
  private final Map<PeerId, Provider> found = new LinkedHashMap<>();
  private @Nullable PeerId firstFrom;

  ProviderSearch(
      KadNode node, KadNetwork network, PeerId self, int max, Consumer<PeerAddress> listener) {
    if (max < 1) {
      throw new IllegalArgumentException("At least one provider must be wanted, not " + max);
    }
    this.node = node;
    this.network = network;
    this.self = self;
    this.max = max;
    this.perAnswer = Math.max(1, max / 4);
    this.listener = listener;
  }

  /// @param held the records that this node holds itself
  void start(ByteString multihash, List<PeerAddress> held, Consumer<Result> done) {
    held.forEach(provider -> take(hear(provider)));
    boolean here = !found.isEmpty();
    if (found.size() >= max) {
      network.after(0, () -> done.accept(result(0, 0)));
      return;
    }
    node.search(
        KadMessage.request(KadMessage.Type.GET_PROVIDERS, multihash),
        KademliaConfig.K,
        node.lookupMillisMax(),
        this::read,
        lookup -> {
          PeerId from = firstFrom;
          int hops = here ? 0 : from == null ? -1 : lookup.hops(from) + 1;
          known.values().forEach(this::take);
          locate(List.copyOf(found.values()), 0, () -> done.accept(result(hops, lookup.asked())));
        });
  }

  private boolean read(PeerId from, KadMessage answer, AddressScope scope, boolean regular) {
    int counted = 0;
    for (PeerAddress named : answer.providers()) {
      if (named.peer().equals(self)
          || (known.size() >= KNOWN_MAX && !known.containsKey(named.peer()))) {
        continue;
      }
      Provider provider = hear(UsableAddresses.of(named, scope));
      if (firstFrom == null) {
        firstFrom = from;
      }
      if (regular && counted < perAnswer && !provider.found) {
        counted++;
        take(provider);
      }
    }
    return found.size() >= max;
  }

  private Provider hear(PeerAddress named) {
    Provider provider = known.computeIfAbsent(named.peer(), Provider::new);
    for (Multiaddr address : named.addresses()) {
      if (provider.addresses.size() < KadMessage.ADDRESSES_MAX) {
        provider.addresses.add(address);
      }
    }
    return provider;
  }

  private void take(Provider provider) {
    if (provider.found || found.size() >= max || provider.peer.equals(self)) {
      return;
    }
    provider.found = true;
    found.put(provider.peer, provider);
    if (!provider.addresses.isEmpty() || !network.addresses(provider.peer).isEmpty()) {
      PeerAddress address = located(provider);
      network.remember(address);
      listener.accept(address);
    }
  }

  /// Looks for those of whom the records hold no address, one after the other.
  private void locate(List<Provider> all, int from, Runnable done) {
    for (int i = from; i < all.size(); i++) {
      Provider provider = all.get(i);
      if (provider.addresses.isEmpty() && network.addresses(provider.peer).isEmpty()) {
        int next = i + 1;
        node.findPeer(
            provider.peer,
            located -> {
              located.ifPresent(address -> {
                provider.addresses.addAll(address.addresses());
                network.remember(address);
                listener.accept(address);
              });
              locate(all, next, done);
            });
        return;
      }
    }
    done.run();
  }

  private PeerAddress located(Provider provider) {
    Set<Multiaddr> all = new LinkedHashSet<>(provider.addresses);
    all.addAll(network.addresses(provider.peer));
    return new PeerAddress(provider.peer, List.copyOf(all));
  }

  private Result result(int hops, int asked) {
    List<PeerAddress> providers =
        found.values().stream()
            .map(this::located)
            .filter(provider -> !provider.addresses().isEmpty())
            .toList();
    return new Result(providers, hops, asked);
  }
}
