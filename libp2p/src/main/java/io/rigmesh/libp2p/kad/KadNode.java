package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;

/// The whole of a Kademlia node but for its sockets: time, randomness and the network are handed
/// in, so that thousands run in one simulation. Everything is called on one thread, and what it
/// calls back is called there, later.
final class KadNode {
  // Beyond this prefix a key is too dear to find by trying.
  private static final int REFRESH_PREFIX_MAX = 15;
  private static final long EMPTY_RETRY_MILLIS = 3_000;

  private final PeerId self;
  private final KadKey selfKey;
  private final KademliaConfig config;
  private final KadNetwork network;
  private final RandomGenerator random;
  private final Neighbours neighbours;
  private final ProviderRecords providers;
  private final ValueRecords values;
  private final Provisions provisions;
  private final Requests requests;
  private final List<Runnable> awaitingBootstrap = new ArrayList<>();
  private boolean bootstrapping;
  private int emptyRounds;

  KadNode(PeerId self, KademliaConfig config, KadNetwork network, RandomGenerator random) {
    this.self = self;
    this.selfKey = KadKey.of(self);
    this.config = config;
    this.network = network;
    this.random = random;
    this.neighbours = new Neighbours(self, config, network);
    this.providers =
        new ProviderRecords(
            selfKey,
            KademliaConfig.RECORD_LIMITS,
            config.recordValidity().toMillis(),
            config.addressValidity().toMillis());
    this.values = new ValueRecords(config.validators(), config.recordValidity().toMillis());
    this.provisions =
        new Provisions(network, config.republishInterval().toMillis(), this::announce);
    this.requests =
        new Requests(self, config, network, neighbours.table(), providers, values, provisions);
  }

  /// Bootstraps now and from then on regularly.
  void start() {
    provisions.start();
    round();
  }

  RoutingTable table() {
    return neighbours.table();
  }

  ProviderRecords records() {
    return providers;
  }

  /// A peer is connected and says that it serves the protocol.
  ///
  /// @param from where it was proven to be
  void seen(PeerId peer, Multiaddr from) {
    if (!peer.equals(self)) {
      neighbours.seen(peer, from);
    }
  }

  /// A peer has said that it does not serve the protocol, or no more.
  void servesNoMore(PeerId peer) {
    table().remove(peer);
  }

  /// See [Requests#answer].
  Optional<KadMessage> answer(PeerId asker, Multiaddr remote, KadMessage request) {
    return requests.answer(asker, remote, request);
  }

  /// Looks for itself, then for a random key in each bucket that is too far from itself to have
  /// been filled by that (the specification's "Bootstrap process").
  void bootstrap(Runnable done) {
    awaitingBootstrap.add(done);
    if (bootstrapping) {
      return;
    }
    bootstrapping = true;
    search(
        KadMessage.findNode(ByteString.copyFrom(self.bytes())),
        KademliaConfig.K,
        config.queryTimeout().toMillis(),
        (from, answer, scope, regular) -> false,
        lookup -> {
          List<PeerAddress> nearest = lookup.closest();
          int covered =
              nearest.size() < KademliaConfig.K
                  ? 0
                  : selfKey.commonPrefix(KadKey.of(nearest.getLast().peer()));
          refresh(Math.min(covered, REFRESH_PREFIX_MAX + 1) - 1);
        });
  }

  private void refresh(int prefix) {
    if (prefix < 0) {
      bootstrapping = false;
      List<Runnable> waiting = List.copyOf(awaitingBootstrap);
      awaitingBootstrap.clear();
      waiting.forEach(Runnable::run);
      return;
    }
    if (isFresh(prefix)) {
      refresh(prefix - 1);
      return;
    }
    search(
        KadMessage.findNode(keyWithPrefix(prefix)),
        KademliaConfig.BETA,
        config.queryTimeout().toMillis(),
        (from, answer, scope, regular) -> isFresh(prefix),
        lookup -> refresh(prefix - 1));
  }

  /// A bucket that is full of peers heard of lately gains nothing from a lookup.
  private boolean isFresh(int prefix) {
    long since = network.now() - config.bootstrapInterval().toMillis() / 2;
    return table().usefulSince(prefix, since) >= KademliaConfig.K;
  }

  private void round() {
    bootstrap(() -> {
      long interval = config.bootstrapInterval().toMillis();
      boolean empty = table().size() == 0;
      emptyRounds = empty ? emptyRounds + 1 : 0;
      long pause =
          empty
              ? Math.min(interval, EMPTY_RETRY_MILLIS << Math.min(10, emptyRounds - 1))
              : interval;
      // Nodes that started together should not ask together.
      network.after(pause - random.nextLong(pause / 4 + 1), this::round);
      neighbours.checkSilent(interval);
      providers.expire(network.now());
      if (!empty) {
        provisions.retryFailed();
      }
    });
  }

  /// Hands on the nearest peers that answered.
  void closestPeers(ByteString key, Consumer<List<PeerAddress>> done) {
    search(
        KadMessage.findNode(key),
        KademliaConfig.K,
        config.lookupTimeout().toMillis(),
        (from, answer, scope, regular) -> false,
        lookup -> done.accept(located(lookup.closest())));
  }

  /// Hands on a peer's addresses, as soon as three peers have named it or it has itself answered.
  void findPeer(PeerId peer, Consumer<Optional<PeerAddress>> done) {
    Set<Multiaddr> addresses = new LinkedHashSet<>();
    int[] named = {0};
    search(
        KadMessage.findNode(ByteString.copyFrom(peer.bytes())),
        KademliaConfig.K,
        config.lookupTimeout().toMillis(),
        (from, answer, scope, regular) -> {
          for (PeerAddress near : answer.closer()) {
            if (near.peer().equals(peer)) {
              addresses.addAll(UsableAddresses.of(near, scope).addresses());
              named[0] += regular ? 1 : 0;
            }
          }
          return from.equals(peer) || (named[0] >= KademliaConfig.BETA && !addresses.isEmpty());
        },
        lookup -> {
          // What a connection or the peer's own word has told comes before what others say.
          Set<Multiaddr> all = new LinkedHashSet<>(network.addresses(peer));
          addresses.stream().limit(KadMessage.ADDRESSES_MAX).forEach(all::add);
          done.accept(
              all.isEmpty()
                  ? Optional.empty()
                  : Optional.of(new PeerAddress(peer, List.copyOf(all))));
        });
  }

  /// Tells the nearest nodes, now and until [#unprovide]; see [Provisions].
  void provide(ByteString multihash, IntConsumer told) {
    provisions.add(multihash, told);
  }

  void unprovide(ByteString multihash) {
    provisions.remove(multihash);
  }

  private void announce(ByteString key, IntConsumer told) {
    closestPeers(
        key,
        nearest -> {
          PeerAddress own = new PeerAddress(self, network.ownAddresses());
          if (nearest.isEmpty() || own.addresses().isEmpty()) {
            told.accept(0);
            return;
          }
          // ADD_PROVIDER is not answered; the answer to what follows it says that it has been read.
          List<KadMessage> messages =
              List.of(
                  KadMessage.addProvider(key, own),
                  KadMessage.findNode(ByteString.copyFrom(self.bytes())));
          int[] left = {nearest.size()};
          int[] answered = {0};
          for (PeerAddress peer : nearest) {
            network.ask(
                peer,
                messages,
                outcome -> {
                  if (outcome instanceof KadNetwork.Outcome.Answered answer) {
                    neighbours.answered(peer.peer(), answer.from());
                    answered[0]++;
                  } else {
                    neighbours.failed(peer.peer(), outcome);
                  }
                  if (--left[0] == 0) {
                    told.accept(answered[0]);
                  }
                });
          }
        });
  }

  /// Looks for providers; see [ProviderSearch].
  void findProviders(
      ByteString multihash,
      int max,
      Consumer<PeerAddress> found,
      Consumer<ProviderSearch.Result> done) {
    new ProviderSearch(this, network, self, max, found)
        .start(
            multihash,
            providers.providers(
                KadKey.of(multihash.toByteArray()), KadMessage.PROVIDERS_MAX, network.now()),
            done);
  }

  /// Hands on the best valid value that the nearest nodes hold.
  ///
  /// @throws io.rigmesh.libp2p.Libp2pException when the key's namespace has no validator
  void getValue(ByteString key, Consumer<Optional<ByteString>> done) {
    String protocol = config.protocol().name();
    RecordValidator validator = values.validator(protocol, key);
    List<ByteString> best =
        new ArrayList<>(values.get(protocol, key, network.now()).stream().toList());
    search(
        KadMessage.request(KadMessage.Type.GET_VALUE, key),
        KademliaConfig.K,
        config.lookupTimeout().toMillis(),
        (from, answer, scope, regular) -> {
          answer
              .value()
              .filter(value -> validator.isValid(key.toByteArray(), value.toByteArray()))
              .ifPresent(value -> {
                ByteString better =
                    best.isEmpty()
                        ? value
                        : ValueRecords.best(validator, key, best.getFirst(), value);
                best.clear();
                best.add(better);
              });
          return false;
        },
        lookup -> done.accept(best.stream().findFirst()));
  }

  /// Puts a value to the nearest nodes and hands on how many took it.
  ///
  /// @throws io.rigmesh.libp2p.Libp2pException when the key's namespace has no validator, or the
  ///   value is not valid or not the best known here
  void putValue(ByteString key, ByteString value, IntConsumer took) {
    values.put(config.protocol().name(), key, value, network.now());
    closestPeers(
        key,
        nearest -> {
          int[] left = {nearest.size()};
          int[] answered = {0};
          if (nearest.isEmpty()) {
            took.accept(0);
          }
          for (PeerAddress peer : nearest) {
            network.ask(
                peer,
                List.of(KadMessage.putValue(key, value)),
                outcome -> {
                  answered[0] += outcome instanceof KadNetwork.Outcome.Answered ? 1 : 0;
                  if (--left[0] == 0) {
                    took.accept(answered[0]);
                  }
                });
          }
        });
  }

  /// Starts a lookup from what the table knows, and from the bootstrap peers while that is little.
  void search(
      KadMessage request,
      int required,
      long millisMax,
      Search.Reader reader,
      Consumer<Lookup> done) {
    KadKey target = KadKey.of(request.key().toByteArray());
    Map<PeerId, PeerAddress> seeds = new LinkedHashMap<>();
    for (PeerId peer : table().closest(target, KademliaConfig.K)) {
      seeds.put(peer, new PeerAddress(peer, network.addresses(peer)));
    }
    if (seeds.size() < KademliaConfig.K) {
      for (PeerAddress peer : config.bootstrapPeers()) {
        seeds.putIfAbsent(peer.peer(), peer);
      }
    }
    Lookup lookup =
        new Lookup(
            self,
            target,
            new Lookup.Shape(
                KademliaConfig.K,
                KademliaConfig.ALPHA,
                required,
                KademliaConfig.LOOKUP_GROUP_MAX,
                KademliaConfig.LOOKUP_QUERIES_MAX),
            List.copyOf(seeds.values()));
    Search.start(network, neighbours, lookup, request, millisMax, reader, done);
  }

  long lookupMillisMax() {
    return config.lookupTimeout().toMillis();
  }

  /// With every address that is known by now.
  private List<PeerAddress> located(List<PeerAddress> peers) {
    return peers.stream()
        .map(peer -> {
          Set<Multiaddr> all = new LinkedHashSet<>(network.addresses(peer.peer()));
          all.addAll(peer.addresses());
          return new PeerAddress(peer.peer(), List.copyOf(all));
        })
        .toList();
  }

  /// A key, in the form of a peer id, whose point shares exactly so many leading bits with ours.
  private ByteString keyWithPrefix(int prefix) {
    byte[] key = new byte[34];
    while (true) {
      random.nextBytes(key);
      key[0] = 0x12;
      key[1] = 0x20;
      if (selfKey.commonPrefix(KadKey.of(key)) == prefix) {
        return ByteString.copyFrom(key);
      }
    }
  }
}
