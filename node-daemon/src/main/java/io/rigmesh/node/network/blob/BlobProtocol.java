package io.rigmesh.node.network.blob;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.wire.BlobWire;

/// The messages of `/rigmesh/blob/1.0.0` and their limits (docs/protocol.md).
public final class BlobProtocol {
  /// The protocol's name.
  public static final ProtocolId ID = new ProtocolId("/rigmesh/blob/1.0.0");

  static final int REQUEST_BYTES_MAX = 1 << 10;

  /// The leaves of a blob of 64 GiB fit.
  static final int RESPONSE_BYTES_MAX = (2 << 20) + 1_024;

  /// The most chunks of one request.
  static final int CHUNKS_MAX = 8;

  private static final ProtobufBounds BOUNDS = ProtobufBounds.fields(32);

  private BlobProtocol() {}

  static BlobWire.Request request(byte[] bytes) {
    try {
      return BlobWire.Request.parseFrom(BOUNDS.check(ID.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw malformed("a request", e);
    }
  }

  static BlobWire.Response response(byte[] bytes) {
    try {
      return BlobWire.Response.parseFrom(BOUNDS.check(ID.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw malformed("a response", e);
    }
  }

  static BlobWire.Response refused(Refusal refusal) {
    return BlobWire.Response.newBuilder()
        .setRefused(
            BlobWire.Refused.newBuilder()
                .setCode(refusal.code().id())
                .setSentence(refusal.sentence()))
        .build();
  }

  /// Whether a refusal is for now only.
  static boolean isPassing(BlobWire.Refused refused) {
    return refused.getCode().equals(RefusalCode.BUSY.id())
        || refused.getCode().equals(RefusalCode.UNAVAILABLE.id());
  }

  private static PeerMisbehaviourException malformed(String what, Exception e) {
    return new PeerMisbehaviourException(ID + ": " + what + " is malformed: " + e.getMessage(), e);
  }
}
