package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Many [KadNode]s in one thread under a clock of its own: the code that runs on real sockets, with
/// only the sockets and timers replaced. Messages take 10 to 150 ms each way and one of a hundred
/// is lost; a dead peer is noticed after 5 s. The same seed gives the same run.
final class KadSimulation {
  static final long DIAL_FAILURE_MILLIS = 5_000;
  static final double LOSS = 0.01;

  private record Event(long at, long sequence, Runnable task) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int order = Long.compare(at, other.at);
      return order == 0 ? Long.compare(sequence, other.sequence) : order;
    }
  }

  /// One peer, honest or not.
  final class Peer implements KadNetwork {
    final PeerId id;
    final Multiaddr address;
    final KadNode node;
    final @Nullable Liar liar;
    boolean alive = true;
    private final List<Multiaddr> addresses;
    private final AddressScope scope;

    private Peer(PeerId id, List<Multiaddr> addresses, KademliaConfig config, @Nullable Liar liar) {
      this.id = id;
      this.address = addresses.getFirst();
      this.addresses = List.copyOf(addresses);
      this.scope = AddressScope.of(address);
      this.liar = liar;
      this.node = new KadNode(id, config, this, random.split());
    }

    PeerAddress peerAddress() {
      return new PeerAddress(id, addresses);
    }

    @Override
    public long now() {
      return now;
    }

    @Override
    public void after(long millis, Runnable task) {
      schedule(
          millis,
          () -> {
            if (alive) {
              task.run();
            }
          });
    }

    @Override
    public void ask(PeerAddress to, List<KadMessage> messages, Consumer<Outcome> done) {
      messagesSent += messages.size();
      mix(to.peer().hashCode() * 31L + id.hashCode());
      Peer peer = peers.get(to.peer());
      boolean located = peer != null && peer.alive && to.addresses().contains(peer.address);
      if (!located) {
        after(DIAL_FAILURE_MILLIS, () -> done.accept(new Outcome.Unreachable("nobody there")));
        return;
      }
      if (random.nextDouble() < LOSS) {
        after(10_000, () -> done.accept(new Outcome.Broken("no answer in time")));
        return;
      }
      schedule(latency(), () -> peer.receive(this, messages, done));
    }

    private void receive(Peer from, List<KadMessage> messages, Consumer<Outcome> done) {
      if (!alive) {
        from.after(DIAL_FAILURE_MILLIS, () -> done.accept(new Outcome.Unreachable("it has gone")));
        return;
      }
      Outcome outcome = new Outcome.Broken("no message");
      for (KadMessage message : messages) {
        try {
          Optional<KadMessage> answer =
              liar == null ? node.answer(from.id, from.address, message) : liar.answer(message);
          if (answer.isPresent()) {
            outcome = new Outcome.Answered(answer.get(), address);
          }
        } catch (Libp2pException e) {
          outcome = new Outcome.Broken(e.getMessage());
          break;
        }
      }
      if (liar == null) {
        // What identify would say of the newcomer.
        node.seen(from.id, from.address);
      }
      Outcome result = outcome;
      from.after(latency(), () -> done.accept(result));
    }

    /// Address books of 5,000 nodes would be most of the memory; this one knows who has ever been.
    @Override
    public List<Multiaddr> addresses(PeerId peer) {
      Peer known = peers.get(peer);
      return known == null ? List.of() : known.addresses;
    }

    @Override
    public List<Multiaddr> addresses(PeerId peer, AddressScope scope) {
      Peer known = peers.get(peer);
      return known == null || !known.scope.usableFrom(scope) ? List.of() : known.addresses;
    }

    @Override
    public List<Multiaddr> ownAddresses() {
      return addresses;
    }

    @Override
    public void remember(PeerAddress peer) {}
  }

  /// What a dishonest peer answers.
  @FunctionalInterface
  interface Liar {
    Optional<KadMessage> answer(KadMessage request);
  }

  final SplittableRandom random;
  final Map<PeerId, Peer> peers = new HashMap<>();
  final List<Peer> inOrder = new ArrayList<>();
  Duration bootstrapInterval = Duration.ofMinutes(10);
  long messagesSent;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private long now;
  private long sequence;
  private long digest;

  KadSimulation(long seed) {
    this.random = new SplittableRandom(seed);
  }

  PeerId randomId() {
    byte[] id = new byte[34];
    random.nextBytes(id);
    id[0] = 0x12;
    id[1] = 0x20;
    return PeerId.of(id);
  }

  ByteString randomMultihash() {
    byte[] key = new byte[34];
    random.nextBytes(key);
    key[0] = 0x12;
    key[1] = 0x20;
    return ByteString.copyFrom(key);
  }

  /// A public IPv4 address in a random /16.
  Multiaddr randomAddress() {
    while (true) {
      byte[] ip = new byte[4];
      random.nextBytes(ip);
      Multiaddr address =
          Multiaddr.of(AddressPart.of(AddressProtocol.IP4, ip)).then("/udp/4070/quic-v1");
      if (AddressScope.of(address) == AddressScope.PUBLIC) {
        return address;
      }
    }
  }

  /// @param addresses where it says that it is, the truth first
  /// @param liar what answers in its place; null for an honest one
  Peer add(PeerId id, List<Multiaddr> addresses, KademliaConfig config, @Nullable Liar liar) {
    Peer peer = new Peer(id, addresses, config, liar);
    peers.put(id, peer);
    inOrder.add(peer);
    return peer;
  }

  /// Adds honest servers, one every `gapMillis`, that know the first three of all as bootstrap
  /// peers, and lets time pass until each has bootstrapped.
  void join(int count, long gapMillis) {
    for (int i = 0; i < count; i++) {
      joinOne().node.start();
      run(gapMillis);
    }
    run(20_000);
  }

  Peer joinOne() {
    return add(randomId(), List.of(randomAddress()), config().build(), null);
  }

  KademliaConfig.Builder config() {
    return KademliaConfig.builder()
        .bootstrapInterval(bootstrapInterval)
        .mode(KademliaMode.SERVER)
        .bootstrapPeers(
            inOrder.subList(0, Math.min(3, inOrder.size())).stream()
                .map(Peer::peerAddress)
                .toList());
  }

  /// A random living honest peer behind the bootstrap peers.
  Peer anyone() {
    while (true) {
      Peer peer = inOrder.get(3 + random.nextInt(inOrder.size() - 3));
      if (peer.alive && peer.liar == null) {
        return peer;
      }
    }
  }

  long now() {
    return now;
  }

  /// Lets time pass.
  void run(long millis) {
    long until = now + millis;
    while (!events.isEmpty() && events.peek().at <= until) {
      Event event = events.remove();
      now = event.at;
      mix(now);
      event.task.run();
    }
    now = until;
  }

  /// Stands for everything that has happened.
  long digest() {
    return digest;
  }

  private void schedule(long millis, Runnable task) {
    events.add(new Event(now + millis, sequence++, task));
  }

  private long latency() {
    return 10 + random.nextInt(140);
  }

  private void mix(long value) {
    digest = Long.rotateLeft(digest * 0x9E3779B97F4A7C15L + value, 29);
  }
}
