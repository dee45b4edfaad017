package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The server peers that are known to answer, in one bucket of at most `k` for each length of the
/// prefix that their key shares with ours (the specification's "Kademlia routing table"). It
/// prefers peers that have lived long: a full bucket takes a new peer only after an old one, silent
/// for a while, has failed a liveness check. Of one [IpGroup] it holds few peers.
///
/// Not thread-safe; times are milliseconds of any clock that does not go back.
final class RoutingTable {
  /// How many peers of one IP group a bucket, and the table, may hold.
  record GroupLimits(int perBucket, int perTable) {}

  /// What became of a peer that was offered.
  sealed interface Admission {
    record Added() implements Admission {}

    /// It was there; it now counts as heard of.
    record Known() implements Admission {}

    /// Its IP group has its share already.
    record Crowded() implements Admission {}

    /// The bucket is full.
    ///
    /// @param suspect the peer to check: when it does not answer, [#remove] it and offer the new
    ///   peer again, else call [#answered] for it
    record Full(Optional<PeerId> suspect) implements Admission {}
  }

  private static final class Entry {
    final PeerId peer;
    final KadKey key;
    final @Nullable IpGroup group;
    long usefulAt;
    boolean checking;
    int failures;

    Entry(PeerId peer, KadKey key, @Nullable IpGroup group, long now) {
      this.peer = peer;
      this.key = key;
      this.group = group;
      this.usefulAt = now;
    }
  }

  private final KadKey self;
  private final int k;
  private final GroupLimits limits;
  private final long silenceMillis;
  // Null where no peer has ever been: most of the 256 stay empty.
  private final @Nullable List<Entry>[] buckets;
  private int prefixMax;
  private final Map<PeerId, Entry> entries = new HashMap<>();
  private final Map<IpGroup, Integer> groups = new HashMap<>();

  /// @param k how many peers a bucket holds
  /// @param silenceMillis for how long a peer must have been of no use before it may be replaced
  @SuppressWarnings({"unchecked", "rawtypes"})
  RoutingTable(KadKey self, int k, GroupLimits limits, long silenceMillis) {
    this.self = self;
    this.k = k;
    this.limits = limits;
    this.silenceMillis = silenceMillis;
    this.buckets = new List[KadKey.BITS];
  }

  /// Offers a peer that has just answered.
  ///
  /// @param group where it was proven to be; null when that is no public IP address
  Admission add(PeerId peer, @Nullable IpGroup group, long now) {
    if (entries.containsKey(peer)) {
      answered(peer, now);
      return new Admission.Known();
    }
    KadKey key = KadKey.of(peer);
    int prefix = self.commonPrefix(key);
    if (prefix == KadKey.BITS) {
      throw new IllegalArgumentException("A node is not in its own routing table");
    }
    List<Entry> bucket = bucket(prefix);
    if (group != null
        && (groups.getOrDefault(group, 0) >= limits.perTable
            || bucket.stream().filter(entry -> group.equals(entry.group)).count()
                >= limits.perBucket)) {
      return new Admission.Crowded();
    }
    if (bucket.size() >= k) {
      Optional<Entry> suspect = suspect(bucket, now);
      suspect.ifPresent(entry -> entry.checking = true);
      return new Admission.Full(suspect.map(entry -> entry.peer));
    }
    Entry entry = new Entry(peer, key, group, now);
    bucket.add(entry);
    entries.put(peer, entry);
    if (group != null) {
      groups.merge(group, 1, Integer::sum);
    }
    return new Admission.Added();
  }

  /// Notes that a peer has answered.
  void answered(PeerId peer, long now) {
    Entry entry = entries.get(peer);
    if (entry != null) {
      entry.usefulAt = now;
      entry.checking = false;
      entry.failures = 0;
    }
  }

  /// Notes that a peer has not answered.
  ///
  /// @return how often in a row; 0 when it is not in the table
  int failed(PeerId peer) {
    Entry entry = entries.get(peer);
    if (entry == null) {
      return 0;
    }
    entry.checking = false;
    return ++entry.failures;
  }

  /// Notes that a peer which was taken for a check is not checked after all.
  void release(PeerId peer) {
    Entry entry = entries.get(peer);
    if (entry != null) {
      entry.checking = false;
    }
  }

  boolean remove(PeerId peer) {
    Entry entry = entries.remove(peer);
    if (entry == null) {
      return false;
    }
    bucket(self.commonPrefix(entry.key)).remove(entry);
    if (entry.group != null) {
      groups.computeIfPresent(entry.group, (group, count) -> count == 1 ? null : count - 1);
    }
    return true;
  }

  boolean contains(PeerId peer) {
    return entries.containsKey(peer);
  }

  int size() {
    return entries.size();
  }

  List<PeerId> peers() {
    List<PeerId> all = new ArrayList<>(entries.size());
    for (List<Entry> bucket : buckets) {
      if (bucket != null) {
        bucket.forEach(entry -> all.add(entry.peer));
      }
    }
    return all;
  }

  /// How many peers share exactly this many leading bits with us.
  int size(int prefix) {
    List<Entry> bucket = buckets[prefix];
    return bucket == null ? 0 : bucket.size();
  }

  /// How many of these have answered since a moment.
  int usefulSince(int prefix, long moment) {
    List<Entry> bucket = buckets[prefix];
    int count = 0;
    if (bucket != null) {
      for (Entry entry : bucket) {
        count += entry.usefulAt >= moment ? 1 : 0;
      }
    }
    return count;
  }

  /// Peers that have been of no use since a moment and are not being checked; they now are.
  List<PeerId> takeSilentSince(long moment, int max) {
    List<Entry> silent = new ArrayList<>();
    for (List<Entry> bucket : buckets) {
      if (bucket != null) {
        bucket.stream().filter(e -> e.usefulAt < moment && !e.checking).forEach(silent::add);
      }
    }
    silent.sort(Comparator.comparingLong(entry -> entry.usefulAt));
    List<Entry> taken = silent.subList(0, Math.min(max, silent.size()));
    taken.forEach(entry -> entry.checking = true);
    return taken.stream().map(entry -> entry.peer).toList();
  }

  /// The peers nearest to a point, nearest first.
  List<PeerId> closest(KadKey target, int count) {
    List<PeerId> peers = new ArrayList<>(count);
    int shared = Math.min(self.commonPrefix(target), KadKey.BITS - 1);
    // Who shares exactly `shared` bits with us has the target's next bit: these are nearest. Those
    // who share more all have the other bit: they are next. Those who share fewer are further with
    // every bit.
    take(peers, target, count, shared, shared);
    take(peers, target, count, shared + 1, prefixMax);
    for (int prefix = shared - 1; prefix >= 0; prefix--) {
      take(peers, target, count, prefix, prefix);
    }
    return peers;
  }

  /// Adds the nearest of some buckets, until there are `count`.
  private void take(List<PeerId> to, KadKey target, int count, int fromPrefix, int toPrefix) {
    if (to.size() >= count) {
      return;
    }
    List<Entry> near = new ArrayList<>(k);
    for (int prefix = fromPrefix; prefix <= toPrefix; prefix++) {
      List<Entry> bucket = buckets[prefix];
      if (bucket != null) {
        near.addAll(bucket);
      }
    }
    near.sort((left, right) -> target.compareDistance(left.key, right.key));
    for (int i = 0; i < near.size() && to.size() < count; i++) {
      to.add(near.get(i).peer);
    }
  }

  private List<Entry> bucket(int prefix) {
    List<Entry> bucket = buckets[prefix];
    if (bucket == null) {
      bucket = new ArrayList<>(4);
      buckets[prefix] = bucket;
      prefixMax = Math.max(prefixMax, prefix);
    }
    return bucket;
  }

  private Optional<Entry> suspect(List<Entry> bucket, long now) {
    Entry suspect = null;
    for (Entry entry : bucket) {
      if (!entry.checking
          && entry.usefulAt <= now - silenceMillis
          && (suspect == null || entry.usefulAt < suspect.usefulAt)) {
        suspect = entry;
      }
    }
    return Optional.ofNullable(suspect);
  }
}
