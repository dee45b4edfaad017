package io.rigmesh.node.network.offers;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedOffer;
import io.rigmesh.protocol.wire.OfferWire;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// An offer as it travels: signed by its account, inside an envelope that its peer has signed, so
/// that neither can be put beside another (docs/protocol.md, "Offers in the network").
public final class SealedOffer {
  /// The most bytes of an envelope.
  public static final int BYTES_MAX = SignedEnvelope.BYTES_MAX;

  private static final String ENVELOPE_DOMAIN = "rigmesh-offer";
  private static final byte[] PAYLOAD_TYPE = "/rigmesh/offer/1".getBytes(StandardCharsets.US_ASCII);
  private static final ProtobufBounds BOUNDS = ProtobufBounds.fields(16);
  private static final String WHAT = "an offer";

  private final Offer offer;
  private final byte[] bytes;

  private SealedOffer(Offer offer, byte[] bytes) {
    this.offer = offer;
    this.bytes = bytes;
  }

  /// Seals an offer of this node.
  ///
  /// @throws IllegalArgumentException if it is too long to travel
  public static SealedOffer seal(SignedOffer signed, Domain domain, PrivateKey key) {
    byte[] payload =
        OfferWire.SignedOffer.newBuilder()
            .setOffer(ByteString.copyFrom(signed.offer().canonicalBytes()))
            .setSignature(ByteString.copyFrom(signed.signature().bytes()))
            .setChainId(domain.chainId())
            .setVerifyingContract(ByteString.copyFrom(domain.verifyingContract().bytes()))
            .build()
            .toByteArray();
    byte[] bytes = SignedEnvelope.seal(key, ENVELOPE_DOMAIN, PAYLOAD_TYPE, payload).bytes();
    if (bytes.length > BYTES_MAX) {
      throw new IllegalArgumentException(
          "an offer of " + bytes.length + " bytes is too long to travel; offer fewer models");
    }
    return new SealedOffer(signed.offer(), bytes);
  }

  /// Opens what came from the network.
  ///
  /// @param domain the chain and contract that this node works with
  /// @return empty if the offer is for another chain or contract, of which nothing is said here
  /// @throws PeerMisbehaviourException if it is malformed, or a signature is not what it must be
  public static Optional<SealedOffer> open(byte[] bytes, Domain domain) {
    SignedEnvelope envelope = SignedEnvelope.open(bytes, ENVELOPE_DOMAIN, PAYLOAD_TYPE);
    try {
      OfferWire.SignedOffer wire =
          OfferWire.SignedOffer.parseFrom(BOUNDS.check(WHAT, envelope.payload()));
      Domain theirs =
          new Domain(wire.getChainId(), Address.of(wire.getVerifyingContract().toByteArray()));
      if (!theirs.equals(domain)) {
        return Optional.empty();
      }
      Offer offer = Offer.fromCanonicalBytes(wire.getOffer().toByteArray());
      SignedOffer signed = new SignedOffer(offer, Signature.of(wire.getSignature().toByteArray()));
      if (!signed.isSignedFor(domain)) {
        throw new PeerMisbehaviourException(
            WHAT + " is not signed by its account " + offer.account());
      }
      // Compared as text, so that a peer has one spelling.
      if (!envelope.signer().toString().equals(offer.peer())) {
        throw new PeerMisbehaviourException(
            WHAT + " of the peer " + offer.peer() + " is signed by " + envelope.signer());
      }
      offer.addresses().forEach(Multiaddr::of);
      return Optional.of(new SealedOffer(offer, bytes.clone()));
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new PeerMisbehaviourException(WHAT + " is malformed: " + e.getMessage(), e);
    } catch (MalformedException e) {
      throw new PeerMisbehaviourException(WHAT + " is malformed: " + e.sentence(), e);
    }
  }

  /// The offer; both signatures have been checked.
  public Offer offer() {
    return offer;
  }

  /// A copy of the envelope.
  public byte[] bytes() {
    return bytes.clone();
  }

  /// The peer that offers.
  public PeerId peer() {
    return PeerId.of(offer.peer());
  }
}
