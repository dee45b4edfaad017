package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The ids of messages whose signature was right, for a while, with what became of them (gossipsub
/// 1.0, "Message Cache"); bounded: the oldest leave first. Not thread-safe.
final class SeenMessages {
  private final long millis;
  private final int countMax;
  private final Map<MessageId, Entry> entries = new LinkedHashMap<>();

  SeenMessages(long millis, int countMax) {
    this.millis = millis;
    this.countMax = countMax;
  }

  @Nullable Entry get(MessageId id) {
    return entries.get(id);
  }

  Entry add(Message message, PeerId first, long now) {
    Entry entry = new Entry(message, first, now);
    entries.put(message.id(), entry);
    if (entries.size() > countMax) {
      Iterator<MessageId> eldest = entries.keySet().iterator();
      eldest.next();
      eldest.remove();
    }
    return entry;
  }

  void expire(long now) {
    Iterator<Entry> oldest = entries.values().iterator();
    while (oldest.hasNext() && oldest.next().seenAt + millis <= now) {
      oldest.remove();
    }
  }

  int size() {
    return entries.size();
  }

  enum State {
    JUDGING,
    ACCEPTED,
    REJECTED,
    IGNORED
  }

  static final class Entry {
    /// Who brought it first; this host for its own.
    final PeerId first;

    final long seenAt;

    /// The message itself while it is judged.
    @Nullable Message message;

    /// Tells another message that was given the same id from a copy.
    private final int wireHash;

    State state = State.JUDGING;
    long decidedAt;

    /// Who else brought it while it was judged or shortly after.
    Set<PeerId> others = new LinkedHashSet<>();

    Entry(Message message, PeerId first, long now) {
      this.message = message;
      this.first = first;
      this.seenAt = now;
      this.wireHash = message.wire().hashCode();
    }

    boolean isCopy(Message other) {
      return other.wire().hashCode() == wireHash;
    }

    boolean brought(PeerId peer) {
      return first.equals(peer) || others.contains(peer);
    }

    void decide(State decision, long now) {
      state = decision;
      decidedAt = now;
      message = null;
    }
  }
}
