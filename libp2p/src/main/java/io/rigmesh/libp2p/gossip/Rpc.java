package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What two peers send each other (pubsub, "The RPC"). Immutable.
///
/// @param faults messages that break a rule before their signature is looked at
/// @param wanted the ids of IWANT
/// @param unwanted the ids of IDONTWANT
record Rpc(
    List<Subscription> subscriptions,
    List<Message> messages,
    List<Fault> faults,
    List<Have> haves,
    List<MessageId> wanted,
    List<String> grafts,
    List<Prune> prunes,
    List<MessageId> unwanted) {

  /// Tags and lengths around an element.
  private static final int ENTRY_BYTES = 10;

  Rpc {
    subscriptions = List.copyOf(subscriptions);
    messages = List.copyOf(messages);
    faults = List.copyOf(faults);
    haves = List.copyOf(haves);
    wanted = List.copyOf(wanted);
    grafts = List.copyOf(grafts);
    prunes = List.copyOf(prunes);
    unwanted = List.copyOf(unwanted);
  }

  record Subscription(String topic, boolean subscribe) {}

  /// A message that cannot be one; its topic may be empty when that was the fault.
  record Fault(String topic, String reason) {}

  /// IHAVE.
  record Have(String topic, List<MessageId> ids) {
    Have {
      ids = List.copyOf(ids);
    }
  }

  /// PRUNE, with the peers of version 1.1.
  ///
  /// @param backoff how long not to graft; empty from peers of version 1.0
  record Prune(String topic, List<Offered> peers, Optional<Duration> backoff) {
    Prune {
      peers = List.copyOf(peers);
    }
  }

  /// A peer to connect to instead.
  ///
  /// @param record its signed peer record, not yet checked; empty when there is none
  record Offered(PeerId peer, ByteString record) {}

  static Builder builder() {
    return new Builder();
  }

  /// An RPC that carries one message only.
  static Rpc of(Message message) {
    return new Rpc(
        List.of(),
        List.of(message),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of());
  }

  boolean isOneMessage() {
    return messages.size() == 1
        && subscriptions.isEmpty()
        && haves.isEmpty()
        && wanted.isEmpty()
        && grafts.isEmpty()
        && prunes.isEmpty()
        && unwanted.isEmpty();
  }

  /// The bytes that it takes on the wire, about: never far less.
  int size() {
    int size = 16;
    for (Subscription subscription : subscriptions) {
      size += ENTRY_BYTES + subscription.topic().length();
    }
    for (Message message : messages) {
      size += ENTRY_BYTES + message.size();
    }
    for (Have have : haves) {
      size += ENTRY_BYTES + have.topic().length() + size(have.ids());
    }
    for (String topic : grafts) {
      size += ENTRY_BYTES + topic.length();
    }
    for (Prune prune : prunes) {
      size += ENTRY_BYTES + prune.topic().length();
      for (Offered offered : prune.peers()) {
        size += 5 * ENTRY_BYTES + offered.record().size();
      }
    }
    return size + size(wanted) + size(unwanted);
  }

  private static int size(List<MessageId> ids) {
    int size = 0;
    for (MessageId id : ids) {
      size += 3 + id.bytes().size();
    }
    return size;
  }

  /// Gathers what goes to one peer.
  static final class Builder {
    final List<Subscription> subscriptions = new ArrayList<>();
    final List<Message> messages = new ArrayList<>();
    final List<Fault> faults = new ArrayList<>();
    final List<Have> haves = new ArrayList<>();
    final List<MessageId> wanted = new ArrayList<>();
    final List<String> grafts = new ArrayList<>();
    final List<Prune> prunes = new ArrayList<>();
    final List<MessageId> unwanted = new ArrayList<>();

    Rpc build() {
      return new Rpc(subscriptions, messages, faults, haves, wanted, grafts, prunes, unwanted);
    }
  }
}
