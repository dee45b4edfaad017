package io.rigmesh.libp2p.gossip;

import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// What waits to be sent to one peer, by priority, bounded in bytes. When it is full the least
/// important leaves first: gossip, then others' messages (the oldest, which others have sent
/// already), then own ones. Thread-safe.
final class OutgoingQueue {
  private final int bytesMax;
  private final Map<Priority, ArrayDeque<Rpc>> queues = new EnumMap<>(Priority.class);
  private long bytes;
  private long dropped;

  OutgoingQueue(int bytesMax) {
    this.bytesMax = bytesMax;
    for (Priority priority : Priority.values()) {
      queues.put(priority, new ArrayDeque<>());
    }
  }

  /// Queues an RPC; false when it found no room even with all that matters less, or as little,
  /// dropped. A peer for whom there is no room for control does not read at all.
  synchronized boolean offer(Rpc rpc, Priority priority) {
    int size = rpc.size();
    Priority[] all = Priority.values();
    for (int i = all.length - 1; i >= 0 && bytes + size > bytesMax; i--) {
      // Control is never dropped for control: each later RPC builds on the earlier ones.
      if (all[i] == Priority.CONTROL || all[i].compareTo(priority) < 0) {
        break;
      }
      ArrayDeque<Rpc> queue = queue(all[i]);
      while (!queue.isEmpty() && bytes + size > bytesMax) {
        bytes -= queue.removeFirst().size();
        dropped++;
      }
    }
    if (bytes + size > bytesMax) {
      dropped++;
      return false;
    }
    queue(priority).addLast(rpc);
    bytes += size;
    return true;
  }

  /// The next to send.
  synchronized Optional<Rpc> poll() {
    for (Priority priority : Priority.values()) {
      Rpc rpc = queue(priority).pollFirst();
      if (rpc != null) {
        bytes -= rpc.size();
        return Optional.of(rpc);
      }
    }
    return Optional.empty();
  }

  synchronized boolean isEmpty() {
    return bytes == 0;
  }

  /// Bytes that wait, about.
  synchronized long bytes() {
    return bytes;
  }

  /// RPCs that were dropped so far.
  synchronized long dropped() {
    return dropped;
  }

  private ArrayDeque<Rpc> queue(Priority priority) {
    return queues.computeIfAbsent(priority, p -> new ArrayDeque<>());
  }
}
