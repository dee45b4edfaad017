package io.rigmesh.libp2p.gossip;

import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Messages that wait for a thread, bounded in number and bytes. Thread-safe.
final class MessageQueue {
  /// A message with who brought it.
  record Item(Message message, io.rigmesh.libp2p.identity.PeerId from) {}

  private final int countMax;
  private final long bytesMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Item> items = new ArrayDeque<>();
  private long bytes;
  private boolean ended;

  MessageQueue(int countMax, long bytesMax) {
    this.countMax = countMax;
    this.bytesMax = bytesMax;
  }

  /// Adds when there is room; false otherwise. An empty queue has room for any message.
  boolean offer(Item item) {
    lock.lock();
    try {
      if (!hasRoom(item) || ended) {
        return false;
      }
      add(item);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Waits for room, then adds; false when the queue was ended.
  boolean put(Item item) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!hasRoom(item) && !ended) {
        changed.await();
      }
      if (ended) {
        return false;
      }
      add(item);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Waits for a message; empty when the queue was ended and all were taken.
  Optional<Item> take() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (items.isEmpty()) {
        if (ended) {
          return Optional.empty();
        }
        changed.await();
      }
      Item item = items.removeFirst();
      bytes -= item.message().size();
      changed.signalAll();
      return Optional.of(item);
    } finally {
      lock.unlock();
    }
  }

  /// Lets takers end when nothing is left.
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean hasRoom(Item item) {
    return items.isEmpty()
        || (items.size() < countMax && bytes + item.message().size() <= bytesMax);
  }

  private void add(Item item) {
    items.addLast(item);
    bytes += item.message().size();
    changed.signalAll();
  }
}
