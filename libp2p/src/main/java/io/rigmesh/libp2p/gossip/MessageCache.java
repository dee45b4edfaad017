package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Recent messages in windows of one heartbeat each, for peers that ask (gossipsub 1.0, "Message
/// Cache"); bounded in bytes: the oldest leave first. Not thread-safe.
final class MessageCache {
  /// What an entry costs beside the message's bytes, about.
  private static final int ENTRY_BYTES = 512;

  private final int windows;
  private final int gossipWindows;
  private final long bytesMax;
  private final Map<MessageId, Entry> entries = new HashMap<>();

  /// The newest window first; in it the newest message last.
  private final ArrayDeque<ArrayDeque<Message>> history = new ArrayDeque<>();

  private long bytes;

  MessageCache(int windows, int gossipWindows, long bytesMax) {
    this.windows = windows;
    this.gossipWindows = gossipWindows;
    this.bytesMax = bytesMax;
    history.addFirst(new ArrayDeque<>());
  }

  void put(Message message) {
    if (entries.putIfAbsent(message.id(), new Entry(message)) != null) {
      return;
    }
    history.getFirst().addLast(message);
    bytes += message.size() + ENTRY_BYTES;
    while (bytes > bytesMax) {
      dropOldest();
    }
  }

  /// A message that a peer asks for; empty too when it has had it too often.
  @Nullable Message take(MessageId id, PeerId peer, int timesMax) {
    Entry entry = entries.get(id);
    if (entry == null || entry.sent.merge(peer, 1, Integer::sum) > timesMax) {
      return null;
    }
    return entry.message;
  }

  /// The ids of a topic in the windows that are told of.
  List<MessageId> gossipIds(String topic) {
    List<MessageId> ids = new ArrayList<>();
    int window = 0;
    for (ArrayDeque<Message> messages : history) {
      if (window++ == gossipWindows) {
        break;
      }
      for (Message message : messages) {
        if (message.topic().equals(topic)) {
          ids.add(message.id());
        }
      }
    }
    return ids;
  }

  /// Starts a new window and drops the oldest.
  void shift() {
    history.addFirst(new ArrayDeque<>());
    while (history.size() > windows) {
      history.removeLast().forEach(this::drop);
    }
  }

  private void dropOldest() {
    while (history.getLast().isEmpty()) {
      history.removeLast();
    }
    drop(history.getLast().removeFirst());
    if (history.size() > 1 && history.getLast().isEmpty()) {
      history.removeLast();
    }
  }

  private void drop(Message message) {
    entries.remove(message.id());
    bytes -= message.size() + ENTRY_BYTES;
  }

  long bytes() {
    return bytes;
  }

  private static final class Entry {
    final Message message;
    final Map<PeerId, Integer> sent = new HashMap<>();

    Entry(Message message) {
      this.message = message;
    }
  }
}
