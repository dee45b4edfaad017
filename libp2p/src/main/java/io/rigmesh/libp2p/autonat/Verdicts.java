package io.rigmesh.libp2p.autonat;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What servers have said about each address. The last word of each server counts, and only the
/// words of the last servers. Thread-safe.
final class Verdicts {
  /// Servers whose words are kept for one address.
  private static final int SERVERS_MAX = 5;

  private static final int ADDRESSES_MAX = 64;

  private final Map<Multiaddr, Heard> addresses = new LinkedHashMap<>();

  private static final class Heard {
    final LinkedHashMap<PeerId, Boolean> words = new LinkedHashMap<>();
    Instant at = Instant.EPOCH;
    Reachability state = Reachability.UNKNOWN;
  }

  /// Notes one server's word.
  ///
  /// @param needed servers that must agree
  synchronized void add(
      Multiaddr address, PeerId server, boolean dialled, int needed, Instant now) {
    if (!addresses.containsKey(address) && addresses.size() >= ADDRESSES_MAX) {
      addresses.remove(addresses.keySet().iterator().next());
    }
    Heard heard = addresses.computeIfAbsent(address, one -> new Heard());
    heard.words.remove(server);
    heard.words.put(server, dialled);
    if (heard.words.size() > SERVERS_MAX) {
      heard.words.remove(heard.words.keySet().iterator().next());
    }
    heard.at = now;
    int successes = successes(heard);
    int failures = heard.words.size() - successes;
    if (successes >= needed && successes > failures) {
      heard.state = Reachability.PUBLIC;
    } else if (failures >= needed && failures > successes) {
      heard.state = Reachability.PRIVATE;
    } else if (heard.words.size() >= SERVERS_MAX) {
      heard.state = Reachability.UNKNOWN;
    }
  }

  private static int successes(Heard heard) {
    return (int) heard.words.values().stream().filter(word -> word).count();
  }

  /// Whether the address should be asked about: nothing is settled, or not lately.
  synchronized boolean due(Multiaddr address, Duration refresh, Instant now) {
    Heard heard = addresses.get(address);
    return heard == null
        || heard.state == Reachability.UNKNOWN
        || !heard.at.plus(refresh).isAfter(now);
  }

  /// Forgets addresses that are no longer this host's.
  synchronized void keepOnly(Collection<Multiaddr> candidates) {
    addresses.keySet().retainAll(candidates);
  }

  synchronized Optional<AddressVerdict> of(Multiaddr address) {
    return Optional.ofNullable(addresses.get(address)).map(heard -> verdict(address, heard));
  }

  synchronized List<AddressVerdict> all() {
    List<AddressVerdict> out = new ArrayList<>();
    addresses.forEach((address, heard) -> out.add(verdict(address, heard)));
    return out;
  }

  private static AddressVerdict verdict(Multiaddr address, Heard heard) {
    int successes = successes(heard);
    return new AddressVerdict(
        address, heard.state, successes, heard.words.size() - successes, heard.at);
  }

  /// Public when any address is, else private when any is.
  synchronized Reachability overall() {
    boolean anyPrivate = false;
    for (Heard heard : addresses.values()) {
      if (heard.state == Reachability.PUBLIC) {
        return Reachability.PUBLIC;
      }
      anyPrivate |= heard.state == Reachability.PRIVATE;
    }
    return anyPrivate ? Reachability.PRIVATE : Reachability.UNKNOWN;
  }
}
