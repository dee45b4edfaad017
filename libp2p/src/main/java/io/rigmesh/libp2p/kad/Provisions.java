package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;

/// What this node itself provides: tells it to the nodes nearest to each key, again before the
/// records expire, soon again when nobody could be told, and when this node's addresses have
/// changed. Single-threaded.
final class Provisions {
  /// Tells the nodes nearest to a key.
  @FunctionalInterface
  interface Teller {
    /// @param told takes the number of nodes that were told; called once
    void tell(ByteString key, IntConsumer told);
  }

  private static final int TELLING_MAX = 4;
  private static final long RETRY_MILLIS = 15_000;
  private static final long ADDRESS_CHECK_MILLIS = 30_000;

  private static final class Provision {
    final List<IntConsumer> waiting = new ArrayList<>();
    boolean queued;
    boolean telling;
    boolean again;
    int failures;
    // Tells a timer that another has been set since.
    int timer;
  }

  private final KadNetwork network;
  private final long intervalMillis;
  private final Teller teller;
  private final Map<ByteString, Provision> provisions = new LinkedHashMap<>();
  private final ArrayDeque<ByteString> queue = new ArrayDeque<>();
  private int telling;
  private Set<Multiaddr> toldAddresses = Set.of();

  Provisions(KadNetwork network, long intervalMillis, Teller teller) {
    this.network = network;
    this.intervalMillis = intervalMillis;
    this.teller = teller;
  }

  /// Begins to watch this node's addresses.
  void start() {
    toldAddresses = new HashSet<>(network.ownAddresses());
    network.after(ADDRESS_CHECK_MILLIS, this::checkAddresses);
  }

  boolean contains(ByteString key) {
    return provisions.containsKey(key);
  }

  int size() {
    return provisions.size();
  }

  /// @param told takes the number of nodes that were told this time
  void add(ByteString key, IntConsumer told) {
    Provision provision = provisions.computeIfAbsent(key, absent -> new Provision());
    provision.waiting.add(told);
    enqueue(key, provision);
  }

  void remove(ByteString key) {
    Provision provision = provisions.remove(key);
    if (provision != null) {
      provision.waiting.forEach(told -> told.accept(0));
      provision.waiting.clear();
    }
  }

  /// Tells everything that nobody has been told yet: others have become known.
  void retryFailed() {
    provisions.forEach((key, provision) -> {
      if (provision.failures > 0) {
        enqueue(key, provision);
      }
    });
  }

  private void checkAddresses() {
    network.after(ADDRESS_CHECK_MILLIS, this::checkAddresses);
    Set<Multiaddr> now = new HashSet<>(network.ownAddresses());
    if (!now.isEmpty() && !now.equals(toldAddresses)) {
      toldAddresses = now;
      provisions.forEach(this::enqueue);
    }
  }

  private void enqueue(ByteString key, Provision provision) {
    if (provision.telling) {
      provision.again = true;
    } else if (!provision.queued) {
      provision.queued = true;
      queue.add(key);
      network.after(0, this::tellNext);
    }
  }

  private void tellNext() {
    while (telling < TELLING_MAX && !queue.isEmpty()) {
      ByteString key = queue.remove();
      Provision provision = provisions.get(key);
      if (provision == null || !provision.queued) {
        continue;
      }
      provision.queued = false;
      provision.telling = true;
      telling++;
      List<IntConsumer> waiting = List.copyOf(provision.waiting);
      provision.waiting.clear();
      teller.tell(
          key,
          told -> {
            telling--;
            provision.telling = false;
            waiting.forEach(consumer -> consumer.accept(told));
            told(key, provision, told);
            tellNext();
          });
    }
  }

  private void told(ByteString key, Provision provision, int told) {
    if (provisions.get(key) != provision) {
      return;
    }
    provision.failures = told > 0 ? 0 : provision.failures + 1;
    if (provision.again) {
      provision.again = false;
      enqueue(key, provision);
      return;
    }
    long delay =
        told > 0
            ? intervalMillis
            : Math.min(intervalMillis, RETRY_MILLIS << Math.min(12, provision.failures - 1));
    int timer = ++provision.timer;
    network.after(
        delay,
        () -> {
          if (provisions.get(key) == provision && provision.timer == timer) {
            enqueue(key, provision);
          }
        });
  }
}
