package io.rigmesh.libp2p.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.wire.IdentityWire;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// RFC 0002 and RFC 0003 of libp2p.
class SignedEnvelopeTest {
  private static final byte[] TYPE = {0x0c, 0x0d};

  private final Ed25519PrivateKey key = Ed25519PrivateKey.generate(new SecureRandom());
  private final PeerId peer = PeerId.of(key.publicKey());

  @Test
  void signsDomainTypeAndPayloadEachWithItsLength() throws Exception {
    byte[] payload = new byte[200];
    IdentityWire.Envelope message =
        IdentityWire.Envelope.parseFrom(
            SignedEnvelope.seal(key, "a-domain", TYPE, payload).bytes());
    ByteArrayOutputStream signed = new ByteArrayOutputStream();
    signed.write(8);
    signed.writeBytes("a-domain".getBytes(StandardCharsets.UTF_8));
    signed.write(2);
    signed.writeBytes(TYPE);
    // 200 as a varint.
    signed.write(0xc8);
    signed.write(0x01);
    signed.writeBytes(payload);
    assertThat(key.publicKey().verify(signed.toByteArray(), message.getSignature().toByteArray()))
        .isTrue();
    assertThat(message.getPublicKey().toByteArray()).isEqualTo(key.publicKey().bytes());
  }

  @Test
  void opensWhatItSealed() {
    byte[] payload = {1, 2, 3};
    byte[] bytes = SignedEnvelope.seal(key, "d", TYPE, payload).bytes();
    SignedEnvelope opened = SignedEnvelope.open(bytes, "d", TYPE);
    assertThat(opened.payload()).isEqualTo(payload);
    assertThat(opened.signer()).isEqualTo(peer);
    assertThat(opened.key()).isEqualTo(key.publicKey());
    assertThat(opened.bytes()).isEqualTo(bytes);
  }

  @Test
  void refusesAnotherDomainTypeOrKey() throws Exception {
    byte[] bytes = SignedEnvelope.seal(key, "d", TYPE, new byte[] {1}).bytes();
    assertThatThrownBy(() -> SignedEnvelope.open(bytes, "e", TYPE))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("signature");
    assertThatThrownBy(() -> SignedEnvelope.open(bytes, "d", new byte[] {1}))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("payload type");
    byte[] stolen =
        IdentityWire.Envelope.parseFrom(bytes).toBuilder()
            .setPublicKey(
                IdentityWire.PublicKey.parseFrom(
                    Ed25519PrivateKey.generate(new SecureRandom()).publicKey().bytes()))
            .build()
            .toByteArray();
    assertThatThrownBy(() -> SignedEnvelope.open(stolen, "d", TYPE))
        .isInstanceOf(PeerMisbehaviourException.class);
  }

  @Test
  void refusesEveryFlippedByteAndEveryCut() {
    byte[] bytes = SignedEnvelope.seal(key, "d", TYPE, new byte[] {1, 2, 3}).bytes();
    for (int i = 0; i < bytes.length; i++) {
      byte[] flipped = bytes.clone();
      flipped[i] ^= 1;
      byte[] cut = java.util.Arrays.copyOf(bytes, i);
      assertThatThrownBy(() -> SignedEnvelope.open(flipped, "d", TYPE))
          .as("byte %d", i)
          .isInstanceOf(PeerMisbehaviourException.class);
      assertThatThrownBy(() -> SignedEnvelope.open(cut, "d", TYPE))
          .as("cut at %d", i)
          .isInstanceOf(PeerMisbehaviourException.class);
    }
    assertThatThrownBy(() -> SignedEnvelope.open(new byte[SignedEnvelope.BYTES_MAX + 1], "d", TYPE))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("is over");
  }

  @Test
  void aPeerRecordReadsBack() {
    PeerRecord record =
        new PeerRecord(
            peer, 7, List.of(Multiaddr.of("/ip4/1.2.3.4/tcp/1"), Multiaddr.of("/dns/a.b/udp/2")));
    SignedEnvelope opened = PeerRecord.open(record.seal(key).bytes());
    assertThat(PeerRecord.of(opened)).isEqualTo(record);
  }

  @Test
  void aPeerRecordHasTheDomainAndTypeOfRfc0003() {
    byte[] bytes = new PeerRecord(peer, 1, List.of()).seal(key).bytes();
    assertThat(SignedEnvelope.open(bytes, "libp2p-peer-record", new byte[] {0x03, 0x01}).signer())
        .isEqualTo(peer);
  }

  @Test
  void refusesAPeerRecordSignedByAnother() {
    PeerId other = PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
    byte[] bytes = new PeerRecord(other, 1, List.of()).seal(key).bytes();
    assertThatThrownBy(() -> PeerRecord.open(bytes))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("is signed by " + peer);
  }

  @Test
  void skipsAddressesOfUnknownKindsAndThoseOverTheLimit() {
    IdentityWire.PeerRecord.Builder message =
        IdentityWire.PeerRecord.newBuilder().setPeerId(ByteString.copyFrom(peer.bytes())).setSeq(1);
    message.addAddressesBuilder().setMultiaddr(ByteString.copyFrom(new byte[] {(byte) 0xff, 0x7f}));
    List<Multiaddr> sent = new ArrayList<>();
    for (int i = 0; i < PeerRecord.ADDRESSES_MAX - 1; i++) {
      sent.add(Multiaddr.of("/ip4/1.2.3.4/tcp/" + (i + 1)));
      message.addAddressesBuilder().setMultiaddr(ByteString.copyFrom(sent.getLast().bytes()));
    }
    byte[] payload = message.build().toByteArray();
    byte[] bytes =
        SignedEnvelope.seal(key, PeerRecord.DOMAIN, new byte[] {0x03, 0x01}, payload).bytes();
    assertThat(PeerRecord.of(PeerRecord.open(bytes)).addresses()).isEqualTo(sent);
  }
}
