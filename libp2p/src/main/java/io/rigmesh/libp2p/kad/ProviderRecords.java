package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Who provides what, as its providers have told this node (the specification's "Content provider
/// advertisement"). A record lives 48 hours, its addresses less, unless it is told again.
///
/// Everything is bounded, so that strangers who tell a lot cost little:
/// - in total: the keys furthest from this node make room for nearer ones, because for those it is
///   not among the nodes that are asked;
/// - per key: the oldest record of the [IpGroup] that has the most makes room;
/// - per provider: further keys are refused.
///
/// Not thread-safe; times are milliseconds of any clock that does not go back.
final class ProviderRecords {
  /// @param total how many records are held
  /// @param perKey how many of one key
  /// @param perProvider how many of one provider
  record Limits(int total, int perKey, int perProvider) {}

  private static final class Entry {
    final PeerId provider;
    final @Nullable IpGroup group;
    List<Multiaddr> addresses;
    long toldAt;

    Entry(PeerId provider, @Nullable IpGroup group, List<Multiaddr> addresses, long toldAt) {
      this.provider = provider;
      this.group = group;
      this.addresses = addresses;
      this.toldAt = toldAt;
    }
  }

  private final Limits limits;
  private final long validityMillis;
  private final long addressMillis;
  // Nearest key first; a key's records in the order they were last told.
  private final TreeMap<KadKey, LinkedHashMap<PeerId, Entry>> keys;
  private final Map<PeerId, Integer> perProvider = new HashMap<>();
  private int total;

  /// @param validityMillis for how long a record is held
  /// @param addressMillis for how long its addresses are
  ProviderRecords(KadKey self, Limits limits, long validityMillis, long addressMillis) {
    this.limits = limits;
    this.validityMillis = validityMillis;
    this.addressMillis = addressMillis;
    this.keys = new TreeMap<>(self::compareDistance);
  }

  /// Takes a record, or renews it with the addresses that are told now.
  ///
  /// @param group where the provider was proven to be
  /// @return whether it was taken; not when the provider has too many, or the key is too far away
  ///   for a store that is full
  boolean add(KadKey key, PeerAddress provider, @Nullable IpGroup group, long now) {
    LinkedHashMap<PeerId, Entry> records = keys.get(key);
    if (records != null) {
      Entry known = records.remove(provider.peer());
      if (known != null) {
        known.addresses = provider.addresses();
        known.toldAt = now;
        records.put(provider.peer(), known);
        return true;
      }
    }
    if (perProvider.getOrDefault(provider.peer(), 0) >= limits.perProvider) {
      return false;
    }
    if (records != null && records.size() >= limits.perKey) {
      drop(key, records, mostCrowded(records.values()));
    } else if (total >= limits.total) {
      KadKey furthest = keys.lastKey();
      if (keys.comparator().compare(key, furthest) > 0) {
        return false;
      }
      LinkedHashMap<PeerId, Entry> last = keys.get(furthest);
      if (last != null) {
        drop(furthest, last, last.firstEntry().getValue());
      }
    }
    keys.computeIfAbsent(key, absent -> new LinkedHashMap<>(2))
        .put(provider.peer(), new Entry(provider.peer(), group, provider.addresses(), now));
    perProvider.merge(provider.peer(), 1, Integer::sum);
    total++;
    return true;
  }

  /// The providers of a key, at most `max`: one of each IP group in turn, the latest told first, so
  /// that no group fills the answer alone. A provider whose addresses are too old has none.
  List<PeerAddress> providers(KadKey key, int max, long now) {
    LinkedHashMap<PeerId, Entry> records = keys.get(key);
    if (records == null) {
      return List.of();
    }
    Map<Optional<IpGroup>, List<Entry>> byGroup = new LinkedHashMap<>();
    for (Entry entry : records.sequencedValues().reversed()) {
      if (now - entry.toldAt < validityMillis) {
        byGroup
            .computeIfAbsent(Optional.ofNullable(entry.group), group -> new ArrayList<>())
            .add(entry);
      }
    }
    List<PeerAddress> out = new ArrayList<>();
    for (int round = 0; !byGroup.isEmpty() && out.size() < max; round++) {
      Iterator<List<Entry>> groups = byGroup.values().iterator();
      while (groups.hasNext() && out.size() < max) {
        List<Entry> entries = groups.next();
        if (round >= entries.size()) {
          groups.remove();
          continue;
        }
        Entry entry = entries.get(round);
        boolean fresh = now - entry.toldAt < addressMillis;
        out.add(new PeerAddress(entry.provider, fresh ? entry.addresses : List.of()));
      }
    }
    return out;
  }

  /// Forgets what has expired.
  void expire(long now) {
    Iterator<Map.Entry<KadKey, LinkedHashMap<PeerId, Entry>>> all = keys.entrySet().iterator();
    while (all.hasNext()) {
      Map<PeerId, Entry> records = all.next().getValue();
      // The oldest stand first.
      Iterator<Entry> entries = records.values().iterator();
      while (entries.hasNext()) {
        Entry entry = entries.next();
        if (now - entry.toldAt < validityMillis) {
          break;
        }
        entries.remove();
        forget(entry);
      }
      if (records.isEmpty()) {
        all.remove();
      }
    }
  }

  int size() {
    return total;
  }

  private void drop(KadKey key, Map<PeerId, Entry> records, Entry entry) {
    records.remove(entry.provider);
    forget(entry);
    if (records.isEmpty()) {
      keys.remove(key);
    }
  }

  private void forget(Entry entry) {
    total--;
    perProvider.computeIfPresent(
        entry.provider, (provider, count) -> count == 1 ? null : count - 1);
  }

  /// The oldest record of the group that has the most; those without a group are each their own.
  private static Entry mostCrowded(Collection<Entry> records) {
    Map<IpGroup, Integer> counts = new HashMap<>();
    for (Entry entry : records) {
      if (entry.group != null) {
        counts.merge(entry.group, 1, Integer::sum);
      }
    }
    Entry chosen = records.iterator().next();
    int most = chosen.group == null ? 1 : counts.getOrDefault(chosen.group, 1);
    for (Entry entry : records) {
      int count = entry.group == null ? 1 : counts.getOrDefault(entry.group, 1);
      if (count > most) {
        chosen = entry;
        most = count;
      }
    }
    return chosen;
  }
}
