package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.identity.PublicKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Signs and checks messages under the policy StrictSign (pubsub, "Message Signing"). Thread-safe.
final class MessageSigner {
  private static final ByteString PREFIX =
      ByteString.copyFrom("libp2p-pubsub:", StandardCharsets.UTF_8);

  private final PrivateKey key;
  private final ByteString author;
  private final boolean keyIsInline;

  MessageSigner(PrivateKey key) {
    PeerId self = PeerId.of(key.publicKey());
    this.key = key;
    this.author = ByteString.copyFrom(self.bytes());
    this.keyIsInline = self.publicKey().isPresent();
  }

  /// Stamps and signs a message as this host.
  Message sign(String topic, ByteString data, long sequence) {
    GossipWire.Message.Builder message =
        GossipWire.Message.newBuilder()
            .setFrom(author)
            .setData(data)
            .setSeqno(
                ByteString.copyFrom(
                    ByteBuffer.allocate(Message.SEQUENCE_BYTES).putLong(sequence).array()))
            .setTopic(topic);
    byte[] signature = key.sign(signedBytes(message.build()));
    message.setSignature(ByteString.copyFrom(signature));
    if (!keyIsInline) {
      message.setKey(ByteString.copyFrom(key.publicKey().bytes()));
    }
    return Message.ofChecked(message.build());
  }

  /// Why the message was not signed by its author; empty when it was.
  static Optional<String> fault(Message message) {
    PublicKey key;
    try {
      if (message.view().hasKey()) {
        key = PublicKey.of(message.view().getKey().toByteArray());
        if (!message.author().matches(key)) {
          return Optional.of("its key is not that of its author " + message.author());
        }
      } else {
        Optional<PublicKey> inline = message.author().publicKey();
        if (inline.isEmpty()) {
          return Optional.of("it carries no key, and its author's id holds none");
        }
        key = inline.get();
      }
    } catch (IllegalArgumentException e) {
      return Optional.of("its key cannot be read: " + e.getMessage());
    }
    return key.verify(signedBytes(message.view()), message.view().getSignature().toByteArray())
        ? Optional.empty()
        : Optional.of("its signature is not by its author " + message.author());
  }

  /// The prefix and the message without signature and key: the specification names the signature
  /// only, but every implementation adds the key after signing.
  private static byte[] signedBytes(GossipWire.Message message) {
    return PREFIX
        .concat(message.toBuilder().clearSignature().clearKey().build().toByteString())
        .toByteArray();
  }
}
