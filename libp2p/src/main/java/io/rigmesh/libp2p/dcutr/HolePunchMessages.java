package io.rigmesh.libp2p.dcutr;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.dcutr.wire.DcutrWire.HolePunch;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import java.util.ArrayList;
import java.util.List;

/// Reads and writes what the two sides of a hole punch say to each other.
final class HolePunchMessages {
  static final int BYTES_MAX = 4 * 1024;

  /// Addresses that are told, and that are looked at.
  static final int ADDRESSES_MAX = 16;

  private static final ProtobufBounds BOUNDS = ProtobufBounds.fields(128);

  private HolePunchMessages() {}

  static HolePunch connect(List<Multiaddr> addresses) {
    HolePunch.Builder message = HolePunch.newBuilder().setType(HolePunch.Type.CONNECT);
    int bytes = 0;
    for (Multiaddr address : addresses) {
      byte[] encoded = address.bytes();
      bytes += encoded.length + 4;
      if (message.getObsAddrsCount() == ADDRESSES_MAX || bytes > BYTES_MAX - 16) {
        break;
      }
      message.addObsAddrs(ByteString.copyFrom(encoded));
    }
    return message.build();
  }

  static HolePunch sync() {
    return HolePunch.newBuilder().setType(HolePunch.Type.SYNC).build();
  }

  /// Reads a message that must be of one type.
  ///
  /// @throws PeerMisbehaviourException when it is malformed or of the other type
  static HolePunch read(byte[] bytes, HolePunch.Type type) {
    try {
      HolePunch message = HolePunch.parseFrom(BOUNDS.check(Dcutr.PROTOCOL.name(), bytes));
      if (message.getType() != type) {
        throw new PeerMisbehaviourException(
            Dcutr.PROTOCOL + ": " + message.getType() + " came where " + type + " was due");
      }
      return message;
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(Dcutr.PROTOCOL + ": a message is malformed", e);
    }
  }

  /// The addresses that can be read, at most [#ADDRESSES_MAX].
  static List<Multiaddr> addresses(HolePunch message) {
    List<Multiaddr> out = new ArrayList<>();
    for (ByteString one : message.getObsAddrsList()) {
      try {
        if (out.size() < ADDRESSES_MAX) {
          out.add(Multiaddr.of(one.toByteArray()).withoutPeerId());
        }
      } catch (IllegalArgumentException newerKind) {
        // An address of a kind that is not known here cannot be dialled here.
      }
    }
    return out;
  }
}
