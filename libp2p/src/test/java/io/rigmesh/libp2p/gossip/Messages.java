package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.PeerId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/// Peers and messages for tests of parts that do not look at signatures.
final class Messages {
  private Messages() {}

  /// A peer id of the hashed kind, which needs no key.
  static PeerId peer(Random random) {
    byte[] multihash = new byte[34];
    random.nextBytes(multihash);
    multihash[0] = 0x12;
    multihash[1] = 32;
    return PeerId.of(multihash);
  }

  static PeerId peer(int number) {
    return peer(new Random(number));
  }

  static Message message(String topic, PeerId author, long sequence, String data) {
    return message(topic, author, sequence, data, "signature");
  }

  static Message message(
      String topic, PeerId author, long sequence, String data, String signature) {
    return Message.ofChecked(
        GossipWire.Message.newBuilder()
            .setTopic(topic)
            .setFrom(ByteString.copyFrom(author.bytes()))
            .setSeqno(ByteString.copyFrom(ByteBuffer.allocate(8).putLong(sequence).array()))
            .setData(ByteString.copyFrom(data, StandardCharsets.UTF_8))
            .setSignature(ByteString.copyFrom(signature, StandardCharsets.UTF_8))
            .build());
  }
}
