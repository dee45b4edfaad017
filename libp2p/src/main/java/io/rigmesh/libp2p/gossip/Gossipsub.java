package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identity.PeerId;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// gossipsub on a host: versions 1.2, 1.1 and 1.0, and floodsub peers, under the policy StrictSign.
///
/// ```
/// Gossip gossip = Gossipsub.start(host, GossipConfig.defaults());
/// Topic chat = gossip.topic("/chat/1");
/// chat.subscribe(message -> print(message.from() + ": " + message.data().toStringUtf8()));
/// chat.publish("hello".getBytes(UTF_8));
/// ```
///
/// Threads: each peer's stream is read by a virtual thread of its own, and its messages are checked
/// in their order by another, so that a peer that sends much slows only itself. The router runs
/// under a lock that is held for short computations only.
public final class Gossipsub implements Gossip {
  private static final Logger LOG = LoggerFactory.getLogger(Gossipsub.class);

  /// How long closing waits for the last RPCs to leave.
  private static final Duration CLOSE_MAX = Duration.ofSeconds(1);

  /// A peer may be silent for as long as its connection lives.
  private static final Duration SILENCE_MAX = Duration.ofDays(365);

  private final Host host;
  private final GossipConfig config;
  private final MessageSigner signer;
  private final AtomicLong sequence =
      new AtomicLong(TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()));
  private final long startedNanos = System.nanoTime();
  private final GossipRouter router;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<PeerId, PeerLink> links = new ConcurrentHashMap<>();
  private final Map<String, LiveTopic> topics = new ConcurrentHashMap<>();
  private final StreamOpener opener;
  private final PeerExchange exchange;
  private final Thread heartbeat;
  private final ConnectionListener listener = new Listener();
  private volatile boolean closed;

  private Gossipsub(Host host, GossipConfig config) {
    this.host = host;
    this.config = config;
    this.signer = new MessageSigner(host.key());
    this.router =
        new GossipRouter(host.id(), config, new SecureRandom(), this::signedRecord, now());
    this.opener = new StreamOpener(host, this::opened);
    this.exchange = new PeerExchange(host, config.direct());
    this.heartbeat = Thread.ofVirtual().name("gossip-heartbeat").unstarted(this::beat);
  }

  /// Starts a node on a host; it serves the protocols from then on and speaks them to every peer
  /// that is or gets connected.
  ///
  /// @throws IllegalStateException when the host serves them already
  public static Gossip start(Host host, GossipConfig config) {
    Gossipsub gossip = new Gossipsub(host, config);
    for (ProtocolId protocol : PeerFeatures.PROTOCOLS) {
      host.handle(protocol, StreamHandler.blocking(gossip::serve));
    }
    host.addListener(gossip.listener);
    host.connections().forEach(gossip.listener::connected);
    gossip.heartbeat.start();
    return gossip;
  }

  @Override
  public Topic topic(String name) {
    return topics.computeIfAbsent(
        TopicName.require(name),
        n -> new LiveTopic(n, this, config.limits().deliveryMessagesMax()));
  }

  @Override
  public double score(PeerId peer) {
    return locked(() -> router.score(peer));
  }

  List<PeerId> peers(String topic) {
    return locked(() -> router.peers(topic));
  }

  List<PeerId> mesh(String topic) {
    return locked(() -> router.mesh(topic));
  }

  /// What waits to be sent to a peer, about.
  long outgoingBytes(PeerId peer) {
    PeerLink link = links.get(peer);
    return link == null ? 0 : link.outgoingBytes();
  }

  PeerId self() {
    return host.id();
  }

  Message sign(String topic, ByteString data) {
    int max = config.limits().messageBytesMax();
    if (data.size() > max) {
      throw new IllegalArgumentException(
          "A message of " + data.size() + " bytes is over this node's limit of " + max);
    }
    return signer.sign(topic, data, sequence.incrementAndGet());
  }

  CompletableFuture<Integer> send(Message message) {
    if (closed) {
      return CompletableFuture.failedFuture(new Libp2pException("This gossip node is closed"));
    }
    List<Action> actions = act(() -> router.publish(message, now()));
    long peers = actions.stream().filter(Action.Send.class::isInstance).count();
    return CompletableFuture.completedFuture((int) peers);
  }

  void join(String topic) {
    if (closed) {
      throw new Libp2pException("This gossip node is closed");
    }
    act(() -> router.join(topic, now()));
  }

  void leave(String topic) {
    act(() -> router.leave(topic, now()));
  }

  private long now() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos);
  }

  private ByteString signedRecord(PeerId peer) {
    return host.peerStore()
        .signedRecord(peer)
        .map(envelope -> ByteString.copyFrom(envelope.bytes()))
        .orElse(ByteString.EMPTY);
  }

  private <T> T locked(Supplier<T> computation) {
    lock.lock();
    try {
      return computation.get();
    } finally {
      lock.unlock();
    }
  }

  /// Runs the router and carries out what it asks for. What goes to peers is queued under the lock,
  /// so that each peer gets it in the order in which the router decided.
  private List<Action> act(Supplier<List<Action>> event) {
    List<Action> actions =
        locked(() -> {
          List<Action> decided = event.get();
          for (Action action : decided) {
            if (action instanceof Action.Send send) {
              PeerLink link = links.get(send.peer());
              if (link != null) {
                link.send(send.rpc(), send.priority());
              }
            }
          }
          return decided;
        });
    for (Action action : actions) {
      switch (action) {
        case Action.Send send -> {}
        case Action.Verify verify -> enqueue(verify);
        case Action.Judge judge -> judge(judge);
        case Action.Deliver deliver -> {
          LiveTopic topic = topics.get(deliver.message().topic());
          if (topic != null) {
            topic.deliver(deliver.message(), deliver.from());
          }
        }
        case Action.Connect connect -> exchange.connect(connect);
      }
    }
    return actions;
  }

  /// Only a peer's reading thread comes here: it waits while the peer's messages wait.
  private void enqueue(Action.Verify verify) {
    PeerLink link = links.get(verify.from());
    MessageQueue.Item item = new MessageQueue.Item(verify.message(), verify.from());
    if (link == null) {
      check(item);
      return;
    }
    if (link.incoming.offer(item)) {
      return;
    }
    act(() -> {
      router.overloaded(verify.from());
      return List.of();
    });
    boolean queued = false;
    try {
      queued = link.incoming.put(item);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!queued) {
      // The link is closing, but the router waits for an answer to each message.
      check(item);
    }
  }

  /// Checks the messages of one peer in their order, until its link is closed and none is left.
  private void checkAll(PeerLink link) {
    try {
      while (true) {
        Optional<MessageQueue.Item> item = link.incoming.take();
        if (item.isEmpty()) {
          return;
        }
        check(item.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      // After an error nobody would take what the peer sends: it starts anew with another stream.
      remove(link);
    }
  }

  private void check(MessageQueue.Item item) {
    if (!locked(() -> router.mustVerify(item.message()))) {
      return;
    }
    Optional<String> fault;
    try {
      fault = MessageSigner.fault(item.message());
    } catch (RuntimeException e) {
      LOG.warn("A signature could not be checked; the message is dropped", e);
      fault = Optional.of("its signature could not be checked");
    }
    fault.ifPresent(reason ->
        LOG.debug("Dropped message {} from {}: {}", item.message().id(), item.from(), reason));
    boolean genuine = fault.isEmpty();
    act(() -> router.verified(item.message(), genuine, now()));
  }

  private void judge(Action.Judge judge) {
    LiveTopic topic = topics.get(judge.message().topic());
    Topic.Verdict verdict =
        topic == null ? Topic.Verdict.IGNORE : topic.judge(judge.message(), judge.from());
    act(() -> router.judged(judge.message().id(), verdict, now()));
  }

  /// Reads what a peer sends; on a virtual thread.
  private void serve(Stream stream, BlockingStream io) {
    PeerId peer = stream.peer();
    PeerLink link = link(stream);
    if (link == null || !link.accepted(stream)) {
      stream.reset();
      return;
    }
    io.timeout(SILENCE_MAX);
    try {
      while (true) {
        Optional<byte[]> bytes = io.readMessage(RpcCodec.BYTES_MAX);
        if (bytes.isEmpty()) {
          return;
        }
        Rpc rpc = RpcCodec.decode(bytes.get(), config.limits().messageBytesMax());
        rpc.faults()
            .forEach(fault -> LOG.debug("Dropped a message from {}: {}", peer, fault.reason()));
        act(() -> router.receive(peer, rpc, now()));
      }
    } catch (PeerMisbehaviourException e) {
      punish(stream, e);
      throw e;
    } finally {
      link.ended(stream);
    }
  }

  /// Whoever goes on breaking rules until nothing of it is listened to is disconnected.
  private void punish(Stream stream, PeerMisbehaviourException fault) {
    double score =
        locked(() -> {
          router.misbehaved(stream.peer());
          return router.score(stream.peer());
        });
    if (score < config.thresholds().graylist()) {
      stream
          .connection()
          .close("its gossip score is " + Math.round(score) + "; at last: " + fault.getMessage());
    }
  }

  /// The link to the peer of a stream; null when the connection has gone or is limited.
  private @Nullable PeerLink link(Stream stream) {
    Connection connection = stream.connection();
    if (connection.limited()) {
      return null;
    }
    PeerFeatures features = PeerFeatures.of(stream.protocol());
    boolean outboundConnection = connection.direction() == Direction.OUTBOUND;
    boolean sendsTo = stream.direction() == Direction.OUTBOUND;
    @Nullable PeerLink[] link = new PeerLink[1];
    act(() -> {
      if (closed) {
        return List.of();
      }
      PeerLink known = links.get(connection.peer());
      link[0] = known == null ? newLink(connection.peer()) : known;
      // What this host opened tells which version the peer reads.
      return known == null || sendsTo
          ? router.addPeer(
              connection.peer(), features, outboundConnection, PeerGroup.of(connection))
          : List.of();
    });
    if (!connection.isOpen()) {
      removeIfGone(connection.peer());
    }
    return link[0];
  }

  private PeerLink newLink(PeerId peer) {
    PeerLink link = new PeerLink(peer, config.limits(), this::lostOutbound);
    links.put(peer, link);
    Thread.ofVirtual().name("gossip-check").start(() -> checkAll(link));
    return link;
  }

  /// The stream to a peer is open; not on an event loop.
  private void opened(Stream stream) {
    PeerLink link = link(stream);
    if (link == null) {
      stream.reset();
    } else if (link.opened(stream)) {
      act(() -> router.greet(stream.peer()));
    }
  }

  private void lostOutbound(PeerLink link) {
    LOG.debug("The stream to {} has gone", link.peer);
    opener.lost(link.peer);
  }

  /// Forgets a peer that has no direct connection any more.
  private void removeIfGone(PeerId peer) {
    if (StreamOpener.direct(host, peer).isEmpty()) {
      opener.forget(peer);
      PeerLink link = links.get(peer);
      if (link != null) {
        remove(link);
      }
    }
  }

  private void remove(PeerLink link) {
    locked(() -> {
      boolean known = links.remove(link.peer, link);
      if (known) {
        router.removePeer(link.peer, now());
      }
      return known;
    });
    link.close();
  }

  /// The heartbeat's thread: also opens streams that are missing, and forgets peers that are gone.
  private void beat() {
    long interval = config.mesh().heartbeat().toNanos();
    long next = System.nanoTime() + interval;
    try {
      while (!closed) {
        TimeUnit.NANOSECONDS.sleep(Math.max(0, next - System.nanoTime()));
        // After a pause the missed heartbeats are not made up for.
        next = Math.max(next + interval, System.nanoTime());
        try {
          act(() -> router.heartbeat(now()));
          for (PeerLink link : List.copyOf(links.values())) {
            if (link.isIdle()) {
              // The connection may stand, but the peer has stopped speaking the protocol.
              remove(link);
            } else {
              removeIfGone(link.peer);
            }
          }
          host.connections().forEach(connection -> openTo(connection.peer()));
        } catch (RuntimeException e) {
          LOG.warn("A heartbeat failed", e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void openTo(PeerId peer) {
    PeerLink link = links.get(peer);
    if (!closed && (link == null || !link.hasOutbound())) {
      opener.open(peer);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    host.removeListener(listener);
    heartbeat.interrupt();
    topics
        .values()
        .forEach(topic -> {
          act(() -> router.leave(topic.name(), now()));
          topic.end();
        });
    CompletableFuture.allOf(
            links.values().stream().map(PeerLink::finish).toArray(CompletableFuture[]::new))
        .completeOnTimeout(null, CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS)
        .join();
    PeerFeatures.PROTOCOLS.forEach(host::unhandle);
    List<PeerLink> left = locked(() -> List.copyOf(links.values()));
    left.forEach(PeerLink::close);
    links.clear();
  }

  /// Takes note of connections; called on event loops, so that the work moves to virtual threads.
  private final class Listener implements ConnectionListener {
    @Override
    public void connected(Connection connection) {
      if (!connection.limited()) {
        Thread.ofVirtual().name("gossip-open").start(() -> openTo(connection.peer()));
      }
    }

    @Override
    public void disconnected(Connection connection, String reason) {
      Thread.ofVirtual().name("gossip-gone").start(() -> removeIfGone(connection.peer()));
    }
  }
}
