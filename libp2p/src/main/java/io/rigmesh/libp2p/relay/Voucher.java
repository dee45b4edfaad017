package io.rigmesh.libp2p.relay;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import java.time.Instant;

/// A relay's signed word that it serves a peer until a time (specification circuit relay v2,
/// "Reservation Vouchers").
record Voucher(PeerId relay, PeerId peer, Instant expiry) {
  static final String DOMAIN = "libp2p-relay-rsvp";
  private static final byte[] PAYLOAD_TYPE = {0x03, 0x02};

  SignedEnvelope seal(PrivateKey key) {
    byte[] payload =
        RelayWire.Voucher.newBuilder()
            .setRelay(ByteString.copyFrom(relay.bytes()))
            .setPeer(ByteString.copyFrom(peer.bytes()))
            .setExpiration(expiry.getEpochSecond())
            .build()
            .toByteArray();
    return SignedEnvelope.seal(key, DOMAIN, PAYLOAD_TYPE, payload);
  }

  /// Opens a voucher that a relay has given to a peer.
  ///
  /// @throws PeerMisbehaviourException when it is malformed, signed by another than the relay, or
  ///   made out for another relay or peer
  static Voucher open(byte[] bytes, PeerId relay, PeerId peer) {
    SignedEnvelope envelope = SignedEnvelope.open(bytes, DOMAIN, PAYLOAD_TYPE);
    if (!envelope.signer().equals(relay)) {
      throw new PeerMisbehaviourException(
          "The reservation voucher of relay " + relay + " is signed by " + envelope.signer());
    }
    Voucher voucher;
    try {
      RelayWire.Voucher message = RelayWire.Voucher.parseFrom(envelope.payload());
      voucher =
          new Voucher(
              PeerId.of(message.getRelay().toByteArray()),
              PeerId.of(message.getPeer().toByteArray()),
              Instant.ofEpochSecond(Math.clamp(message.getExpiration(), 0, 1L << 40)));
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new PeerMisbehaviourException("A reservation voucher is malformed", e);
    }
    if (!voucher.relay().equals(relay) || !voucher.peer().equals(peer)) {
      throw new PeerMisbehaviourException(
          "The reservation voucher of relay "
              + relay
              + " is made out by "
              + voucher.relay()
              + " for "
              + voucher.peer());
    }
    return voucher;
  }
}
