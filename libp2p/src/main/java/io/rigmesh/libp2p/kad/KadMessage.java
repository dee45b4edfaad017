package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.kad.wire.KadWire;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A request or response of Kademlia (the specification's "RPC messages").
///
/// @param key what stands on the wire: a peer id, a multihash, or a record's key
/// @param value of PUT_VALUE and GET_VALUE
/// @param closer peers nearer to the key
/// @param providers of the key
record KadMessage(
    Type type,
    ByteString key,
    Optional<ByteString> value,
    List<PeerAddress> closer,
    List<PeerAddress> providers) {
  enum Type {
    PUT_VALUE(0),
    GET_VALUE(1),
    ADD_PROVIDER(2),
    GET_PROVIDERS(3),
    FIND_NODE(4),
    PING(5);

    /// The number on the wire.
    final int code;

    Type(int code) {
      this.code = code;
    }

    static Type of(String protocol, int code) {
      for (Type type : values()) {
        if (type.code == code) {
          return type;
        }
      }
      throw new PeerMisbehaviourException(protocol + ": a message has the unknown type " + code);
    }
  }

  /// Longer requests are refused: an ADD_PROVIDER with every address, or a PUT_VALUE with the
  /// largest value, is well below. The specification allows 4 MiB.
  static final int REQUEST_BYTES_MAX = 32 * 1024;

  /// Longer responses are refused: 20 closer peers and many providers with all their addresses.
  static final int RESPONSE_BYTES_MAX = 512 * 1024;

  static final int KEY_BYTES_MAX = 128;
  static final int VALUE_BYTES_MAX = 16 * 1024;

  /// Further addresses of a peer are dropped.
  static final int ADDRESSES_MAX = 16;

  /// Further closer peers are dropped.
  static final int CLOSER_MAX = 20;

  /// Further providers are dropped.
  static final int PROVIDERS_MAX = 64;

  private static final ProtobufBounds PEER = ProtobufBounds.fields(160).atMost(2, 128);
  private static final ProtobufBounds BOUNDS =
      ProtobufBounds.fields(1_200)
          .nested(3, 1, ProtobufBounds.fields(16))
          .nested(8, 64, PEER)
          .nested(9, 1_024, PEER);

  KadMessage {
    closer = List.copyOf(closer);
    providers = List.copyOf(providers);
  }

  /// A request that carries a key alone.
  static KadMessage request(Type type, ByteString key) {
    return new KadMessage(type, key, Optional.empty(), List.of(), List.of());
  }

  static KadMessage findNode(ByteString key) {
    return request(Type.FIND_NODE, key);
  }

  static KadMessage addProvider(ByteString key, PeerAddress self) {
    return new KadMessage(Type.ADD_PROVIDER, key, Optional.empty(), List.of(), List.of(self));
  }

  static KadMessage putValue(ByteString key, ByteString value) {
    return new KadMessage(Type.PUT_VALUE, key, Optional.of(value), List.of(), List.of());
  }

  byte[] encode() {
    KadWire.Message.Builder message =
        KadWire.Message.newBuilder().setTypeValue(type.code).setKey(key);
    value.ifPresent(
        bytes -> message.setRecord(KadWire.Record.newBuilder().setKey(key).setValue(bytes)));
    closer.forEach(peer -> message.addCloserPeers(encode(peer)));
    providers.forEach(peer -> message.addProviderPeers(encode(peer)));
    return message.build().toByteArray();
  }

  /// Reads a message. A peer with a malformed id, and an address of an unknown kind, is dropped:
  /// they may be newer than this software.
  ///
  /// @param protocol whom a failure names
  /// @throws PeerMisbehaviourException when it is malformed or holds too many elements
  static KadMessage decode(String protocol, byte[] bytes) {
    KadWire.Message message;
    try {
      message = KadWire.Message.parseFrom(BOUNDS.check(protocol, bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(
          protocol + ": a message is malformed: " + e.getMessage(), e);
    }
    if (message.getKey().size() > KEY_BYTES_MAX) {
      throw new PeerMisbehaviourException(
          protocol + ": a key of " + message.getKey().size() + " bytes is over " + KEY_BYTES_MAX);
    }
    Optional<ByteString> value = Optional.empty();
    if (message.hasRecord()) {
      value = Optional.of(value(protocol, message));
    }
    return new KadMessage(
        Type.of(protocol, message.getTypeValue()),
        message.getKey(),
        value,
        decode(message.getCloserPeersList(), CLOSER_MAX),
        decode(message.getProviderPeersList(), PROVIDERS_MAX));
  }

  private static ByteString value(String protocol, KadWire.Message message) {
    KadWire.Record record = message.getRecord();
    if (!record.getKey().equals(message.getKey())) {
      throw new PeerMisbehaviourException(
          protocol + ": a record's key is not the key of the message it came in");
    }
    if (record.getValue().size() > VALUE_BYTES_MAX) {
      throw new PeerMisbehaviourException(
          protocol
              + ": a value of "
              + record.getValue().size()
              + " bytes is over "
              + VALUE_BYTES_MAX);
    }
    return record.getValue();
  }

  private static KadWire.Message.Peer encode(PeerAddress peer) {
    KadWire.Message.Peer.Builder out =
        KadWire.Message.Peer.newBuilder().setId(ByteString.copyFrom(peer.peer().bytes()));
    peer.addresses().stream()
        .limit(ADDRESSES_MAX)
        .forEach(address -> out.addAddrs(ByteString.copyFrom(address.bytes())));
    return out.build();
  }

  private static List<PeerAddress> decode(List<KadWire.Message.Peer> peers, int max) {
    List<PeerAddress> out = new ArrayList<>();
    for (KadWire.Message.Peer peer : peers) {
      if (out.size() == max) {
        break;
      }
      try {
        PeerId id = PeerId.of(peer.getId().toByteArray());
        out.add(new PeerAddress(id, addresses(id, peer.getAddrsList())));
      } catch (IllegalArgumentException newerKind) {
        // A peer whose id cannot be read cannot be dialled either.
      }
    }
    return out;
  }

  private static List<Multiaddr> addresses(PeerId id, List<ByteString> encoded) {
    List<Multiaddr> out = new ArrayList<>();
    for (ByteString bytes : encoded) {
      if (out.size() == ADDRESSES_MAX) {
        break;
      }
      try {
        Multiaddr address = Multiaddr.of(bytes.toByteArray());
        if (address.peerId().map(id::equals).orElse(false)) {
          address = address.withoutPeerId();
        }
        if (!address.isEmpty()) {
          out.add(address);
        }
      } catch (IllegalArgumentException newerKind) {
        // An address of a kind that is not known here is of no use here.
      }
    }
    return out;
  }
}
