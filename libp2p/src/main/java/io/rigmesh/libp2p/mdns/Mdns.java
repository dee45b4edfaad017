package io.rigmesh.libp2p.mdns;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds peers on the local network, and is found by them, by multicast DNS (specification
/// discovery/mdns). What is found is the word of whoever sent it: only connecting proves a peer.
public final class Mdns implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Mdns.class);
  private static final String NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final int NAME_LENGTH = 40;

  /// How long addresses found here are kept; they come again with every question.
  private static final Duration ADDRESSES_KEPT = Duration.ofMinutes(5);

  /// A peer with the same addresses is reported again only after this.
  private static final Duration REPORT_AGAIN = Duration.ofMinutes(1);

  private static final int REPORTED_MAX = 512;
  private static final int PACKETS_PER_SECOND_MAX = 200;

  /// RFC 6762, section 6: a record is multicast at most once a second.
  private static final Duration ANSWER_PAUSE = Duration.ofSeconds(1);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(600);

  private record Report(List<Multiaddr> addresses, long nanos) {}

  private final Host host;
  private final MdnsSettings settings;
  private final Consumer<PeerAddress> found;
  private final MdnsPeer peer;
  private final List<MulticastSocket> sockets;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Map<PeerId, Report> reported = new LinkedHashMap<>();

  private Mdns(
      Host host,
      MdnsSettings settings,
      Consumer<PeerAddress> found,
      List<MulticastSocket> sockets) {
    this.host = host;
    this.settings = settings;
    this.found = found;
    this.peer = new MdnsPeer(host.id(), randomName(), settings);
    this.sockets = sockets;
  }

  /// Starts to ask, to answer and to listen.
  ///
  /// @param found hears of each peer other than the host itself; its addresses are in the peer
  ///   store then. Called on a virtual thread, one call at a time for each IP version.
  /// @throws Libp2pException when no network interface takes multicast, as in many containers
  public static Mdns start(Host host, MdnsSettings settings, Consumer<PeerAddress> found) {
    List<MulticastSocket> sockets = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    try {
      sockets.add(MulticastSocket.ip4());
    } catch (IOException | RuntimeException e) {
      failures.add("IPv4: " + e.getMessage());
    }
    try {
      sockets.add(MulticastSocket.ip6());
    } catch (IOException | RuntimeException e) {
      failures.add("IPv6: " + e.getMessage());
    }
    if (sockets.isEmpty()) {
      throw new Libp2pException(
          "Peers on the local network cannot be looked for by multicast DNS ("
              + String.join("; ", failures)
              + "); turn mDNS off, or give the machine a network that takes multicast");
    }
    Mdns mdns = new Mdns(host, settings, found, List.copyOf(sockets));
    for (MulticastSocket socket : sockets) {
      Thread.ofVirtual().name("mdns").start(() -> mdns.listen(socket));
    }
    Thread.ofVirtual().name("mdns-ask").start(mdns::ask);
    return mdns;
  }

  /// The name is random: a peer id may one day be too long for a label.
  private static String randomName() {
    SecureRandom random = new SecureRandom();
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < NAME_LENGTH; i++) {
      name.append(NAME_CHARACTERS.charAt(random.nextInt(NAME_CHARACTERS.length())));
    }
    return name.toString();
  }

  private void ask() {
    byte[] question = peer.ask().bytes();
    long pauseMillis = FIRST_PAUSE.toMillis();
    try {
      // Quickly at first: a single packet is easily lost, or comes while the others must be silent.
      do {
        sockets.forEach(socket -> socket.send(question));
        pauseMillis = Math.min(2 * pauseMillis, settings.askEvery().toMillis());
      } while (!closing.await(pauseMillis, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void listen(MulticastSocket socket) {
    long secondStarted = System.nanoTime();
    int packets = 0;
    long answered = System.nanoTime() - ANSWER_PAUSE.toNanos();
    while (closing.getCount() > 0) {
      try {
        byte[] packet = socket.receive();
        long now = System.nanoTime();
        if (now - secondStarted > TimeUnit.SECONDS.toNanos(1)) {
          secondStarted = now;
          packets = 0;
        }
        if (++packets > PACKETS_PER_SECOND_MAX) {
          continue;
        }
        DnsMessage message = DnsMessage.of(packet);
        if (message.response()) {
          peer.found(message).forEach(one -> report(one, now));
        } else if (now - answered >= ANSWER_PAUSE.toNanos()) {
          var answer = peer.answer(message, host.addresses());
          if (answer.isPresent()) {
            answered = now;
            socket.send(answer.get().bytes());
          }
        }
      } catch (IllegalArgumentException e) {
        LOG.debug("A multicast DNS packet is passed over: {}", e.getMessage());
      } catch (IOException e) {
        if (closing.getCount() > 0) {
          LOG.warn("Peers on the local network are no longer heard: {}", e.toString());
        }
        return;
      } catch (RuntimeException e) {
        LOG.warn("A multicast DNS packet could not be handled", e);
      }
    }
  }

  private void report(PeerAddress one, long now) {
    synchronized (reported) {
      Report last = reported.get(one.peer());
      if (last != null
          && last.addresses().equals(one.addresses())
          && now - last.nanos() < REPORT_AGAIN.toNanos()) {
        return;
      }
      reported.put(one.peer(), new Report(one.addresses(), now));
      if (reported.size() > REPORTED_MAX) {
        reported.remove(reported.keySet().iterator().next());
      }
    }
    host.peerStore().addAddresses(one.peer(), one.addresses(), ADDRESSES_KEPT);
    found.accept(one);
  }

  /// Says goodbye and stops.
  @Override
  public void close() {
    if (closing.getCount() == 0) {
      return;
    }
    closing.countDown();
    byte[] goodbye = peer.goodbye().bytes();
    for (MulticastSocket socket : sockets) {
      socket.send(goodbye);
      socket.close();
    }
  }
}
