package io.rigmesh.libp2p.gossip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.RsaPublicKey;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class MessageSignerTest {
  private static final int DATA_MAX = 1000;
  private static final Ed25519PrivateKey KEY = Ed25519PrivateKey.ofSeed(new byte[32]);
  private static final Ed25519PrivateKey OTHER = Ed25519PrivateKey.ofSeed(filled());
  private static final GossipWire.Message SIGNED =
      new MessageSigner(KEY).sign("/test/1", ByteString.copyFromUtf8("data"), 0x0102L).view();

  private static byte[] filled() {
    byte[] seed = new byte[32];
    seed[0] = 1;
    return seed;
  }

  private static Message changed(UnaryOperator<GossipWire.Message.Builder> change) {
    return Message.of(change.apply(SIGNED.toBuilder()).build(), DATA_MAX);
  }

  @Test
  void aSignedMessageIsStampedAndItsSignatureIsOverThePrefixAndTheRest() {
    Message message = changed(same -> same);
    assertThat(MessageSigner.fault(message)).isEmpty();
    PeerId author = PeerId.of(KEY.publicKey());
    assertThat(message.author()).isEqualTo(author);
    assertThat(message.sequence()).isEqualTo(0x0102L);
    assertThat(message.id().bytes().toByteArray())
        .startsWith(author.bytes())
        .endsWith(0, 0, 0, 0, 0, 0, 1, 2)
        .hasSize(author.bytes().length + 8);
    ByteArrayOutputStream signed = new ByteArrayOutputStream();
    signed.writeBytes("libp2p-pubsub:".getBytes(UTF_8));
    signed.writeBytes(SIGNED.toBuilder().clearSignature().build().toByteArray());
    assertThat(KEY.publicKey().verify(signed.toByteArray(), SIGNED.getSignature().toByteArray()))
        .isTrue();
    assertThat(SIGNED.hasKey()).as("the id holds an Ed25519 key").isFalse();
  }

  @Test
  void anyChangeBreaksTheSignature() {
    assertThat(MessageSigner.fault(changed(m -> m.setData(ByteString.copyFromUtf8("date")))))
        .hasValueSatisfying(fault -> assertThat(fault).contains("is not by its author"));
    assertThat(MessageSigner.fault(changed(m -> m.setTopic("/test/2")))).isPresent();
    assertThat(
            MessageSigner.fault(
                changed(m -> m.setSeqno(ByteString.copyFrom(new byte[] {0, 0, 0, 0, 0, 0, 1, 3})))))
        .isPresent();
    assertThat(
            MessageSigner.fault(changed(m -> m.setSignature(SIGNED.getSignature().substring(1)))))
        .isPresent();
    assertThat(
            MessageSigner.fault(
                changed(m ->
                    m.setUnknownFields(
                        UnknownFieldSet.newBuilder()
                            .addField(9, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                            .build()))))
        .as("unknown fields are signed too")
        .isPresent();
  }

  @Test
  void theAuthorMustBeWhoSigned() {
    ByteString otherId = ByteString.copyFrom(PeerId.of(OTHER.publicKey()).bytes());
    assertThat(MessageSigner.fault(changed(m -> m.setFrom(otherId)))).isPresent();
    assertThat(
            MessageSigner.fault(
                changed(
                    m -> m.setFrom(otherId).setKey(ByteString.copyFrom(KEY.publicKey().bytes())))))
        .hasValueSatisfying(
            fault -> assertThat(fault).startsWith("its key is not that of its author"));
  }

  @Test
  void theKeyFieldIsNotSignedAndMayRepeatTheInlineKey() {
    assertThat(
            MessageSigner.fault(
                changed(m -> m.setKey(ByteString.copyFrom(KEY.publicKey().bytes())))))
        .isEmpty();
    assertThat(MessageSigner.fault(changed(m -> m.setKey(ByteString.copyFromUtf8("rubbish")))))
        .hasValueSatisfying(fault -> assertThat(fault).startsWith("its key cannot be read"));
  }

  @Test
  void anAuthorWithAHashedIdNeedsTheKeyField() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    KeyPair pair = generator.generateKeyPair();
    RsaPublicKey key = new RsaPublicKey(pair.getPublic().getEncoded());
    GossipWire.Message unsigned =
        SIGNED.toBuilder()
            .clearSignature()
            .setFrom(ByteString.copyFrom(PeerId.of(key).bytes()))
            .build();
    Signature signer = Signature.getInstance("SHA256withRSA");
    signer.initSign(pair.getPrivate());
    signer.update("libp2p-pubsub:".getBytes(UTF_8));
    signer.update(unsigned.toByteArray());
    GossipWire.Message.Builder signed =
        unsigned.toBuilder().setSignature(ByteString.copyFrom(signer.sign()));
    assertThat(MessageSigner.fault(Message.of(signed.build(), DATA_MAX)))
        .contains("it carries no key, and its author's id holds none");
    signed.setKey(ByteString.copyFrom(key.bytes()));
    assertThat(MessageSigner.fault(Message.of(signed.build(), DATA_MAX))).isEmpty();
  }

  @Test
  void whatLacksAFieldIsRefusedBeforeItsSignatureIsLookedAt() {
    assertThatThrownBy(() -> changed(GossipWire.Message.Builder::clearSignature))
        .hasMessage("it has no signature");
    assertThatThrownBy(() -> changed(GossipWire.Message.Builder::clearFrom))
        .hasMessage("it has no author");
    assertThatThrownBy(() -> changed(m -> m.setFrom(ByteString.copyFromUtf8("nobody"))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> changed(m -> m.setSeqno(ByteString.copyFrom(new byte[7]))))
        .hasMessage("its sequence number has 7 bytes, not 8");
    assertThatThrownBy(() -> changed(GossipWire.Message.Builder::clearTopic))
        .hasMessage("its topic is not 1 to 256 bytes of UTF-8");
    assertThatThrownBy(() -> changed(m -> m.setTopic("x".repeat(257))))
        .hasMessage("its topic is not 1 to 256 bytes of UTF-8");
    assertThatThrownBy(
            () -> changed(m -> m.setTopicBytes(ByteString.copyFrom(new byte[] {(byte) 0xff}))))
        .hasMessage("its topic is not 1 to 256 bytes of UTF-8");
    assertThatThrownBy(() -> changed(m -> m.setData(ByteString.copyFrom(new byte[DATA_MAX + 1]))))
        .hasMessage("its data has 1001 bytes, over 1000");
  }

  @Test
  void anotherOrderOfTheFieldsBecomesTheUsualOneThatEveryoneChecks()
      throws InvalidProtocolBufferException {
    ByteString turned =
        SIGNED.toBuilder()
            .clearFrom()
            .clearData()
            .build()
            .toByteString()
            .concat(
                GossipWire.Message.newBuilder()
                    .setData(SIGNED.getData())
                    .setFrom(SIGNED.getFrom())
                    .build()
                    .toByteString());
    Message message = Message.of(GossipWire.Message.parseFrom(turned), DATA_MAX);
    assertThat(message.wire()).isEqualTo(SIGNED.toByteString()).isNotEqualTo(turned);
    assertThat(MessageSigner.fault(message)).isEmpty();
  }
}
