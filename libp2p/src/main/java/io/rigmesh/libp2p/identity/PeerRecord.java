package io.rigmesh.libp2p.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.wire.IdentityWire;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.List;

/// The addresses that a peer says it has, signed by itself inside a [SignedEnvelope] (libp2p's RFC
/// 0003).
///
/// @param sequence a higher one replaces a lower
public record PeerRecord(PeerId peer, long sequence, List<Multiaddr> addresses) {
  public static final String DOMAIN = "libp2p-peer-record";

  /// Further addresses of a record are dropped.
  public static final int ADDRESSES_MAX = 64;

  private static final byte[] PAYLOAD_TYPE = {0x03, 0x01};

  public PeerRecord {
    addresses = List.copyOf(addresses);
  }

  public SignedEnvelope seal(PrivateKey key) {
    IdentityWire.PeerRecord.Builder message =
        IdentityWire.PeerRecord.newBuilder()
            .setPeerId(ByteString.copyFrom(peer.bytes()))
            .setSeq(sequence);
    for (Multiaddr address : addresses) {
      message.addAddressesBuilder().setMultiaddr(ByteString.copyFrom(address.bytes()));
    }
    return SignedEnvelope.seal(key, DOMAIN, PAYLOAD_TYPE, message.build().toByteArray());
  }

  /// Opens an envelope that must hold a peer record signed by its own peer.
  ///
  /// @throws PeerMisbehaviourException when it is malformed or signed by another
  public static SignedEnvelope open(byte[] bytes) {
    SignedEnvelope envelope = SignedEnvelope.open(bytes, DOMAIN, PAYLOAD_TYPE);
    of(envelope);
    return envelope;
  }

  /// The record in an envelope; addresses that cannot be read (newer kinds) are dropped.
  ///
  /// @throws PeerMisbehaviourException when it is malformed or signed by another
  public static PeerRecord of(SignedEnvelope envelope) {
    try {
      IdentityWire.PeerRecord message = IdentityWire.PeerRecord.parseFrom(envelope.payload());
      PeerId peer = PeerId.of(message.getPeerId().toByteArray());
      if (!peer.equals(envelope.signer())) {
        throw new PeerMisbehaviourException(
            "The record of peer " + peer + " is signed by " + envelope.signer());
      }
      List<Multiaddr> addresses = new ArrayList<>();
      for (IdentityWire.PeerRecord.AddressInfo info : message.getAddressesList()) {
        if (addresses.size() == ADDRESSES_MAX) {
          break;
        }
        try {
          addresses.add(Multiaddr.of(info.getMultiaddr().toByteArray()));
        } catch (IllegalArgumentException newerKind) {
          // An address of a kind that is not known here is of no use here.
        }
      }
      return new PeerRecord(peer, message.getSeq(), addresses);
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new PeerMisbehaviourException("A peer record is malformed: " + e.getMessage(), e);
    }
  }
}
