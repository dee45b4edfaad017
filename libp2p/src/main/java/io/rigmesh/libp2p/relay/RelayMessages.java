package io.rigmesh.libp2p.relay;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Reads and writes what hop and stop say to each other.
final class RelayMessages {
  static final int BYTES_MAX = 4 * 1024;

  /// How long either side may take for its next message.
  static final Duration TIMEOUT = Duration.ofSeconds(15);

  static final int ADDRESSES_MAX = 32;

  private static final ProtobufBounds ADDRESSED = ProtobufBounds.fields(2 * ADDRESSES_MAX);
  private static final ProtobufBounds HOP =
      ProtobufBounds.fields(16)
          .nested(2, 1, ADDRESSED)
          .nested(3, 1, ADDRESSED)
          .nested(4, 1, ProtobufBounds.fields(8));
  private static final ProtobufBounds STOP =
      ProtobufBounds.fields(16).nested(2, 1, ADDRESSED).nested(3, 1, ProtobufBounds.fields(8));

  private RelayMessages() {}

  static RelayWire.HopMessage hop(byte[] bytes) {
    try {
      return RelayWire.HopMessage.parseFrom(HOP.check(Relay.HOP.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(Relay.HOP + ": a message is malformed", e);
    }
  }

  static RelayWire.StopMessage stop(byte[] bytes) {
    try {
      return RelayWire.StopMessage.parseFrom(STOP.check(Relay.STOP.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(Relay.STOP + ": a message is malformed", e);
    }
  }

  static RelayWire.HopMessage hopStatus(RelayWire.Status status) {
    return RelayWire.HopMessage.newBuilder()
        .setType(RelayWire.HopMessage.Type.STATUS)
        .setStatus(status)
        .build();
  }

  static RelayWire.StopMessage stopStatus(RelayWire.Status status) {
    return RelayWire.StopMessage.newBuilder()
        .setType(RelayWire.StopMessage.Type.STATUS)
        .setStatus(status)
        .build();
  }

  static RelayWire.Peer peer(PeerId id) {
    return RelayWire.Peer.newBuilder().setId(ByteString.copyFrom(id.bytes())).build();
  }

  /// @throws PeerMisbehaviourException when there is no peer id or a broken one
  static PeerId peerId(String protocol, RelayWire.Peer peer) {
    try {
      return PeerId.of(peer.getId().toByteArray());
    } catch (IllegalArgumentException e) {
      throw new PeerMisbehaviourException(protocol + ": " + e.getMessage(), e);
    }
  }

  static RelayWire.Limit limit(RelayLimits limits) {
    return RelayWire.Limit.newBuilder()
        .setDuration((int) Math.min(limits.circuitTime().toSeconds(), Integer.MAX_VALUE))
        .setData(limits.circuitBytes())
        .build();
  }

  /// Whether a limit that a relay told limits anything.
  static boolean limits(RelayWire.Limit limit) {
    return limit.getDuration() != 0 || limit.getData() != 0;
  }

  /// The addresses that can be read, a few of them at most.
  static List<Multiaddr> addresses(List<ByteString> all) {
    List<Multiaddr> out = new ArrayList<>();
    for (ByteString one : all) {
      try {
        if (out.size() < ADDRESSES_MAX) {
          out.add(Multiaddr.of(one.toByteArray()));
        }
      } catch (IllegalArgumentException newerKind) {
        // An address of a kind that is not known here is of no use here.
      }
    }
    return out;
  }

  /// Whether the connection itself runs through a relay, limited or not.
  static boolean relayed(Connection connection) {
    return connection.limited() || connection.remoteAddress().has(AddressProtocol.P2P_CIRCUIT);
  }
}
