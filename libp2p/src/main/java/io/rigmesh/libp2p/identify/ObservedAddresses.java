package io.rigmesh.libp2p.identify;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.IpNetwork;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Gathers at which addresses remotes see this host. One observer can lie, and many observers in
/// one network are one: an address counts by the number of networks from which it was seen.
///
/// What a remote sees is a listener's outside address only when the connection uses the listener's
/// own port: it came in there, or was dialled from there. Of other connections only the IP address
/// is believed, with the listener's port guessed; such addresses are candidates but never
/// announced. Thread-safe.
final class ObservedAddresses {
  /// How long an observation counts after its connection has ended.
  static final Duration WINDOW = Duration.ofMinutes(30);

  static final int PAST_MAX = 256;
  static final int CANDIDATES_MAX = 16;

  /// Announced addresses of one kind (IPv4 or IPv6, TCP or UDP).
  static final int ANNOUNCED_PER_KIND_MAX = 3;

  /// Observers in one block of so many bits are one observer.
  private static final int IP4_GROUP_BITS = 24;

  private static final int IP6_GROUP_BITS = 48;

  /// How a connection was seen.
  ///
  /// @param local this host's end of it
  /// @param remote the observer's end of it
  record Sighting(PeerId observer, Multiaddr local, Multiaddr remote, Multiaddr seen) {}

  private record Claim(Multiaddr address, boolean exact, String group) {}

  private record PastClaim(Claim claim, Instant expires) {}

  private final int observersMin;
  private final boolean observePrivate;
  private final Map<Object, List<Claim>> live = new HashMap<>();
  private final ArrayDeque<PastClaim> past = new ArrayDeque<>();

  ObservedAddresses(int observersMin, boolean observePrivate) {
    this.observersMin = observersMin;
    this.observePrivate = observePrivate;
  }

  /// Takes what a remote says it sees, until [#ended] and for a while after.
  ///
  /// @param connection what the sighting belongs to; a later one replaces it
  /// @param listening the addresses that this host listens on
  synchronized void seen(Object connection, Sighting sighting, List<Multiaddr> listening) {
    List<Claim> claims = claims(sighting, listening);
    if (claims.isEmpty()) {
      live.remove(connection);
    } else {
      live.put(connection, claims);
    }
  }

  synchronized void ended(Object connection, Instant now) {
    List<Claim> claims = live.remove(connection);
    if (claims == null) {
      return;
    }
    for (Claim claim : claims) {
      past.removeIf(old -> old.claim().equals(claim));
      past.addLast(new PastClaim(claim, now.plus(WINDOW)));
    }
    while (past.size() > PAST_MAX) {
      past.removeFirst();
    }
  }

  /// Addresses that enough observers have seen, to be announced.
  synchronized List<Multiaddr> announced(Instant now) {
    Map<String, Integer> perKind = new HashMap<>();
    return ranked(now, true, observersMin).stream()
        .filter(address -> perKind.merge(kind(address), 1, Integer::sum) <= ANNOUNCED_PER_KIND_MAX)
        .toList();
  }

  /// Every address that was seen or follows from what was seen, best attested first.
  synchronized List<Multiaddr> candidates(Instant now) {
    return ranked(now, false, 1).stream().limit(CANDIDATES_MAX).toList();
  }

  private List<Multiaddr> ranked(Instant now, boolean exactOnly, int groupsMin) {
    past.removeIf(old -> !old.expires().isAfter(now));
    Map<Multiaddr, Set<String>> groups = new HashMap<>();
    Stream.concat(live.values().stream().flatMap(List::stream), past.stream().map(PastClaim::claim))
        .filter(claim -> claim.exact() || !exactOnly)
        .forEach(claim ->
            groups.computeIfAbsent(claim.address(), a -> new HashSet<>()).add(claim.group()));
    return groups.entrySet().stream()
        .filter(entry -> entry.getValue().size() >= groupsMin)
        .sorted(
            Comparator.<Map.Entry<Multiaddr, Set<String>>>comparingInt(
                    entry -> -entry.getValue().size())
                .thenComparing(entry -> entry.getKey().toString()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private List<Claim> claims(Sighting sighting, List<Multiaddr> listening) {
    Multiaddr seen = sighting.seen();
    if (!isSocket(seen) || !isSocket(sighting.local()) || !isSocket(sighting.remote())) {
      return List.of();
    }
    if (!believable(AddressScope.of(seen), AddressScope.of(sighting.remote()))) {
      return List.of();
    }
    String group = group(sighting);
    List<Claim> claims = new ArrayList<>();
    for (Multiaddr listener : listening) {
      if (!isSocket(listener) || !kind(listener).equals(kind(seen))) {
        continue;
      }
      boolean exact =
          kind(listener).equals(kind(sighting.local())) && port(listener) == port(sighting.local());
      AddressPart transport = (exact ? seen : listener).parts().get(1);
      if (port(exact ? seen : listener) != 0) {
        Multiaddr address =
            Multiaddr.of(seen.parts().getFirst(), transport)
                .then(listener.slice(2, listener.parts().size()));
        claims.add(new Claim(address, exact, group));
      }
    }
    return claims;
  }

  /// An observer on this network cannot know how the internet sees this host.
  private boolean believable(AddressScope seen, AddressScope observer) {
    if (observePrivate) {
      return (seen == AddressScope.PUBLIC || seen == AddressScope.PRIVATE)
          && seen.usableFrom(observer);
    }
    return seen == AddressScope.PUBLIC && observer == AddressScope.PUBLIC;
  }

  private static String group(Sighting sighting) {
    if (AddressScope.of(sighting.remote()) != AddressScope.PUBLIC) {
      return sighting.observer().toString();
    }
    return IpNetwork.around(
            sighting.remote().parts().getFirst().address(), IP4_GROUP_BITS, IP6_GROUP_BITS)
        .toString();
  }

  /// Whether it is an IP address and a TCP or UDP port, not relayed.
  private static boolean isSocket(Multiaddr address) {
    return address.parts().size() >= 2
        && (address.parts().getFirst().protocol() == AddressProtocol.IP4
            || address.parts().getFirst().protocol() == AddressProtocol.IP6)
        && (address.parts().get(1).protocol() == AddressProtocol.TCP
            || address.parts().get(1).protocol() == AddressProtocol.UDP)
        && !address.has(AddressProtocol.P2P_CIRCUIT);
  }

  private static String kind(Multiaddr address) {
    return address.parts().getFirst().protocol() + " " + address.parts().get(1).protocol();
  }

  private static int port(Multiaddr address) {
    return address.parts().get(1).number();
  }
}
