package io.rigmesh.libp2p.peerstore;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.peerstore.wire.PeerStoreWire;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What is known of one peer. Guarded by the store's lock.
final class KnownPeer {
  /// Roughly what an entry takes beside the bytes of its parts.
  private static final int OVERHEAD_BYTES = 256;

  private static final int ADDRESS_OVERHEAD_BYTES = 200;

  private record Address(Instant expires, boolean certified) {}

  private final PeerId id;
  private final Map<Multiaddr, Address> addresses = new HashMap<>();
  private Set<ProtocolId> protocols = Set.of();
  private String agent = "";
  private byte[] record = {};
  private @Nullable SignedEnvelope opened;
  private long recordSequence;
  private int connections;
  private Instant lastConnected = Instant.EPOCH;
  private Instant touched;

  KnownPeer(PeerId id, Instant now) {
    this.id = id;
    this.touched = now;
  }

  void touch(Instant now) {
    touched = now;
  }

  boolean isConnected() {
    return connections > 0;
  }

  void connected() {
    connections++;
  }

  /// @param until how long its addresses stay known at least
  void disconnected(Instant now, Instant until) {
    connections--;
    if (connections == 0) {
      lastConnected = now;
      prolong(until);
    }
  }

  private void prolong(Instant until) {
    addresses.replaceAll((address, known) ->
        known.expires().isBefore(until) ? new Address(until, known.certified()) : known);
  }

  void addAddresses(Collection<Multiaddr> more, Instant expires, int max) {
    for (Multiaddr address : more) {
      add(address, expires, false, max);
    }
  }

  private void add(Multiaddr address, Instant expires, boolean certified, int max) {
    Optional<PeerId> named = address.peerId();
    if (named.isPresent() && !named.get().equals(id)) {
      return;
    }
    Multiaddr plain = address.withoutPeerId();
    if (plain.isEmpty()) {
      return;
    }
    addresses.merge(
        plain,
        new Address(expires, certified),
        (known, now) ->
            new Address(
                known.expires().isAfter(now.expires()) ? known.expires() : now.expires(),
                known.certified() || now.certified()));
    if (addresses.size() > max) {
      addresses.entrySet().stream()
          .min(
              Comparator.<Map.Entry<Multiaddr, Address>, Boolean>comparing(
                      entry -> entry.getValue().certified())
                  .thenComparing(entry -> entry.getValue().expires())
                  .thenComparing(entry -> entry.getKey().toString()))
          .ifPresent(first -> addresses.remove(first.getKey()));
    }
  }

  /// @return whether it was not older than the record known
  boolean addRecord(
      SignedEnvelope envelope, Predicate<Multiaddr> useful, Instant expires, int addressesMax) {
    PeerRecord content = PeerRecord.of(envelope);
    if (record.length > 0 && Long.compareUnsigned(content.sequence(), recordSequence) < 0) {
      return false;
    }
    // Addresses that the newer record leaves out are no longer the peer's.
    if (content.sequence() != recordSequence) {
      addresses.values().removeIf(Address::certified);
    }
    record = envelope.bytes();
    opened = envelope;
    recordSequence = content.sequence();
    content.addresses().stream()
        .filter(useful)
        .forEach(address -> add(address, expires, true, addressesMax));
    return true;
  }

  /// The record; one read from disk is checked when it is first asked for, and forgotten if wrong.
  Optional<SignedEnvelope> record() {
    SignedEnvelope known = opened;
    if (known == null && record.length > 0) {
      try {
        known = PeerRecord.open(record);
        if (!known.signer().equals(id)) {
          throw new PeerMisbehaviourException("A stored record of " + id + " is another's");
        }
        opened = known;
      } catch (PeerMisbehaviourException e) {
        known = null;
        record = new byte[0];
        recordSequence = 0;
      }
    }
    return Optional.ofNullable(known);
  }

  List<Multiaddr> addresses(Instant now) {
    return addresses.entrySet().stream()
        .filter(entry -> isConnected() || entry.getValue().expires().isAfter(now))
        .sorted(
            Comparator.<Map.Entry<Multiaddr, Address>, Boolean>comparing(
                    entry -> !entry.getValue().certified())
                .thenComparing(entry -> entry.getValue().expires(), Comparator.reverseOrder())
                .thenComparing(entry -> entry.getKey().toString()))
        .map(Map.Entry::getKey)
        .toList();
  }

  boolean hasAddress(Instant now) {
    return addresses.values().stream()
        .anyMatch(known -> isConnected() || known.expires().isAfter(now));
  }

  void setProtocols(Collection<ProtocolId> spoken, int max) {
    Set<ProtocolId> taken = new HashSet<>();
    for (ProtocolId protocol : spoken) {
      if (taken.size() == max) {
        break;
      }
      taken.add(protocol);
    }
    protocols = Set.copyOf(taken);
  }

  Set<ProtocolId> protocols() {
    return protocols;
  }

  void setAgent(String name, int charactersMax) {
    agent = name.substring(0, Math.min(name.length(), charactersMax));
  }

  Optional<String> agent() {
    return agent.isEmpty() ? Optional.empty() : Optional.of(agent);
  }

  /// Forgets everything but that it is connected.
  void clear() {
    addresses.clear();
    protocols = Set.of();
    agent = "";
    record = new byte[0];
    opened = null;
    recordSequence = 0;
  }

  long bytes() {
    long bytes = OVERHEAD_BYTES + 2L * agent.length() + 3L * record.length;
    for (Multiaddr address : addresses.keySet()) {
      bytes += ADDRESS_OVERHEAD_BYTES + address.bytes().length;
    }
    for (ProtocolId protocol : protocols) {
      bytes += 40 + protocol.name().length();
    }
    return bytes;
  }

  /// The least useful first: peers without a live address, then those not connected for the longest
  /// time or never, then those not heard of for the longest time.
  static Comparator<KnownPeer> byUse(Instant now) {
    return Comparator.<KnownPeer, Boolean>comparing(peer -> peer.hasAddress(now))
        .thenComparing(peer -> peer.lastConnected)
        .thenComparing(peer -> peer.touched)
        .thenComparing(peer -> peer.id);
  }

  PeerId id() {
    return id;
  }

  /// @param until how long the addresses of a connected peer are kept at least
  PeerStoreWire.Peer encoded(Instant now, Instant until) {
    PeerStoreWire.Peer.Builder out =
        PeerStoreWire.Peer.newBuilder()
            .setId(ByteString.copyFrom(id.bytes()))
            .setAgent(agent)
            .setRecord(ByteString.copyFrom(record))
            .setRecordSequence(recordSequence)
            .setLastConnectedMs((isConnected() ? now : lastConnected).toEpochMilli());
    addresses.forEach((address, known) -> {
      Instant expires = isConnected() && known.expires().isBefore(until) ? until : known.expires();
      if (expires.isAfter(now)) {
        out.addAddressesBuilder()
            .setMultiaddr(ByteString.copyFrom(address.bytes()))
            .setExpiresMs(expires.toEpochMilli())
            .setCertified(known.certified());
      }
    });
    protocols.forEach(protocol -> out.addProtocols(protocol.name()));
    return out.build();
  }

  /// @throws IllegalArgumentException when a value is not what it should be
  static KnownPeer decoded(PeerStoreWire.Peer in, PeerStoreLimits limits, Instant now) {
    KnownPeer peer = new KnownPeer(PeerId.of(in.getId().toByteArray()), now);
    // A clock that was ahead when the file was written must not make entries immortal.
    Instant latest = now.plus(limits.remembered().multipliedBy(2));
    for (PeerStoreWire.Peer.Address address : in.getAddressesList()) {
      Instant expires = Instant.ofEpochMilli(address.getExpiresMs());
      if (expires.isAfter(now)) {
        peer.add(
            Multiaddr.of(address.getMultiaddr().toByteArray()),
            expires.isAfter(latest) ? latest : expires,
            address.getCertified(),
            limits.addressesPerPeerMax());
      }
    }
    peer.setProtocols(
        Stream.of(in.getProtocolsList()).flatMap(List::stream).map(ProtocolId::new).toList(),
        limits.protocolsPerPeerMax());
    peer.setAgent(in.getAgent(), limits.agentCharactersMax());
    peer.record = in.getRecord().toByteArray();
    peer.recordSequence = in.getRecordSequence();
    Instant connected = Instant.ofEpochMilli(in.getLastConnectedMs());
    peer.lastConnected = connected.isAfter(now) ? now : connected;
    peer.touched = peer.lastConnected;
    return peer;
  }
}
