package io.rigmesh.libp2p.autonat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;

/// Reads what clients and servers of AutoNAT say to each other.
final class AutoNatMessages {
  /// A request with fifty addresses fits.
  static final int BYTES_MAX = 8 * 1024;

  /// A dial back holds a nonce, its answer a status.
  static final int DIAL_BACK_BYTES_MAX = 64;

  static final int ADDRESSES_MAX = 50;

  /// Of the data that pays for a dial, in one message.
  static final int DATA_BYTES_MAX = 4096;

  static final int DIAL_DATA_BYTES_MIN = 30_000;
  static final int DIAL_DATA_BYTES_MAX = 100_000;

  private static final ProtobufBounds BOUNDS =
      ProtobufBounds.fields(8)
          .nested(1, 1, ProtobufBounds.fields(4 + ADDRESSES_MAX).atMost(1, ADDRESSES_MAX))
          .nested(2, 1, ProtobufBounds.fields(8))
          .nested(3, 1, ProtobufBounds.fields(8))
          .nested(4, 1, ProtobufBounds.fields(4));
  private static final ProtobufBounds DIAL_BACK = ProtobufBounds.fields(4);

  private AutoNatMessages() {}

  static AutoNatWire.Message message(byte[] bytes) {
    try {
      return AutoNatWire.Message.parseFrom(BOUNDS.check(AutoNat.DIAL_REQUEST.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(AutoNat.DIAL_REQUEST + ": a message is malformed", e);
    }
  }

  static AutoNatWire.DialBack dialBack(byte[] bytes) {
    try {
      return AutoNatWire.DialBack.parseFrom(DIAL_BACK.check(AutoNat.DIAL_BACK.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(AutoNat.DIAL_BACK + ": a message is malformed", e);
    }
  }

  static AutoNatWire.DialBackResponse dialBackResponse(byte[] bytes) {
    try {
      return AutoNatWire.DialBackResponse.parseFrom(
          DIAL_BACK.check(AutoNat.DIAL_BACK.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(AutoNat.DIAL_BACK + ": an answer is malformed", e);
    }
  }

  static AutoNatWire.Message response(AutoNatWire.DialResponse.ResponseStatus status) {
    return AutoNatWire.Message.newBuilder()
        .setDialResponse(AutoNatWire.DialResponse.newBuilder().setStatus(status))
        .build();
  }
}
