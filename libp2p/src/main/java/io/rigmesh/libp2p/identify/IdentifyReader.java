package io.rigmesh.libp2p.identify;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.identify.wire.IdentifyWire;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Reads what a peer says of itself: at most ten messages of at most 8 KiB, merged, within five
/// seconds.
final class IdentifyReader {
  static final int MESSAGE_BYTES_MAX = 8 * 1024;
  static final int MESSAGES_MAX = 10;
  static final int ADDRESSES_MAX = 64;
  static final int PROTOCOLS_MAX = 512;
  private static final int TEXT_CHARACTERS_MAX = 256;
  private static final ProtobufBounds BOUNDS =
      ProtobufBounds.fields(640).atMost(2, 128).atMost(3, PROTOCOLS_MAX);

  private IdentifyReader() {}

  static IdentifyWire.Identify read(BlockingStream io, String protocol, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    IdentifyWire.Identify.Builder merged = IdentifyWire.Identify.newBuilder();
    for (int count = 0; ; count++) {
      io.timeout(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
      Optional<byte[]> message;
      try {
        message = io.readMessage(MESSAGE_BYTES_MAX);
      } catch (StreamTimeoutException e) {
        if (count == 0) {
          throw e;
        }
        // The peer has spoken, and only forgot to end the stream.
        return merged.build();
      }
      if (message.isEmpty()) {
        if (count == 0) {
          throw new PeerMisbehaviourException(protocol + ": the stream ended without a message");
        }
        return merged.build();
      }
      if (count == MESSAGES_MAX) {
        throw new PeerMisbehaviourException(
            protocol + ": over " + MESSAGES_MAX + " messages in one identification");
      }
      merge(merged, message.get(), protocol);
    }
  }

  static void merge(IdentifyWire.Identify.Builder merged, byte[] message, String protocol) {
    try {
      merged.mergeFrom(BOUNDS.check(protocol, message));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(protocol + ": malformed message: " + e.getMessage(), e);
    }
    if (merged.getProtocolsCount() > PROTOCOLS_MAX) {
      throw new PeerMisbehaviourException(
          protocol + ": over " + PROTOCOLS_MAX + " protocols in one identification");
    }
  }

  /// What the message says, on top of what was known. What it does not mention stays as it was: a
  /// push may hold only what has changed.
  ///
  /// @param remote from how near the peer is seen: addresses that mean nothing here are dropped
  /// @throws PeerMisbehaviourException when it gives another's key or record
  static IdentifyInfo info(
      IdentifyWire.Identify message, PeerId peer, AddressScope remote, IdentifyInfo known) {
    checkKey(message, peer);
    Optional<SignedEnvelope> record = known.signedRecord();
    if (message.hasSignedPeerRecord()) {
      SignedEnvelope sent = PeerRecord.open(message.getSignedPeerRecord().toByteArray());
      if (!sent.signer().equals(peer)) {
        throw new PeerMisbehaviourException(
            IdentifyService.ID + ": " + peer + " sent the signed record of " + sent.signer());
      }
      record = Optional.of(sent);
    }
    return new IdentifyInfo(
        peer,
        message.hasProtocolVersion() ? text(message.getProtocolVersion()) : known.protocolVersion(),
        message.hasAgentVersion() ? text(message.getAgentVersion()) : known.agentVersion(),
        addresses(message, peer, remote, record, known),
        message.getProtocolsCount() > 0 ? protocols(message) : known.protocols(),
        message.hasObservedAddr()
            ? address(message.getObservedAddr().toByteArray())
            : known.observedAddress(),
        record);
  }

  static IdentifyInfo nothingKnown(PeerId peer) {
    return new IdentifyInfo(peer, "", "", List.of(), Set.of(), Optional.empty(), Optional.empty());
  }

  private static void checkKey(IdentifyWire.Identify message, PeerId peer) {
    if (!message.hasPublicKey()) {
      return;
    }
    PublicKey key;
    try {
      key = PublicKey.of(message.getPublicKey().toByteArray());
    } catch (IllegalArgumentException e) {
      throw new PeerMisbehaviourException(
          IdentifyService.ID + ": malformed public key: " + e.getMessage(), e);
    }
    if (!peer.matches(key)) {
      throw new PeerMisbehaviourException(
          IdentifyService.ID + ": " + peer + " sent the public key of " + PeerId.of(key));
    }
  }

  /// A signed record is what the peer stands for; the plain list counts only without one.
  private static List<Multiaddr> addresses(
      IdentifyWire.Identify message,
      PeerId peer,
      AddressScope remote,
      Optional<SignedEnvelope> record,
      IdentifyInfo known) {
    List<Multiaddr> said = new ArrayList<>();
    if (message.hasSignedPeerRecord() && record.isPresent()) {
      said.addAll(PeerRecord.of(record.get()).addresses());
    } else if (message.getListenAddrsCount() == 0) {
      return known.addresses();
    } else {
      message
          .getListenAddrsList()
          .forEach(bytes -> address(bytes.toByteArray()).ifPresent(said::add));
    }
    return said.stream()
        .filter(address -> address.peerId().map(peer::equals).orElse(true))
        .map(Multiaddr::withoutPeerId)
        .filter(address -> AddressScope.of(address).usableFrom(remote))
        .distinct()
        .limit(ADDRESSES_MAX)
        .toList();
  }

  /// An address of a kind that is not known here is of no use here.
  private static Optional<Multiaddr> address(byte[] bytes) {
    try {
      Multiaddr address = Multiaddr.of(bytes);
      return address.isEmpty() ? Optional.empty() : Optional.of(address);
    } catch (IllegalArgumentException newerKind) {
      return Optional.empty();
    }
  }

  private static Set<ProtocolId> protocols(IdentifyWire.Identify message) {
    Set<ProtocolId> protocols = new LinkedHashSet<>();
    for (String name : message.getProtocolsList()) {
      try {
        protocols.add(new ProtocolId(name));
      } catch (IllegalArgumentException notSpokenHere) {
        // Names without a slash existed; none of them is spoken here.
      }
    }
    return protocols;
  }

  /// Text that goes into logs and on screens.
  private static String text(String said) {
    StringBuilder safe = new StringBuilder();
    said.codePoints()
        .limit(TEXT_CHARACTERS_MAX)
        .forEach(c -> safe.appendCodePoint(Character.isISOControl(c) ? '?' : c));
    return safe.toString();
  }
}
