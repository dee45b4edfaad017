package io.rigmesh.libp2p.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// The vector is `Noise_XX_25519_ChaChaPoly_SHA256` of the cacophony project's published set.
class XxHandshakeTest {
  private static final byte[] PROLOGUE = hex("4a6f686e2047616c74");
  private static final KeyPair25519 INITIATOR =
      pair("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1");
  private static final KeyPair25519 INITIATOR_EPHEMERAL =
      pair("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a");
  private static final KeyPair25519 RESPONDER =
      pair("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893");
  private static final KeyPair25519 RESPONDER_EPHEMERAL =
      pair("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b");

  /// Payload and message, in turn the initiator's and the responder's.
  private static final String[][] VECTOR = {
    {
      "4c756477696720766f6e204d69736573",
      "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
          + "4c756477696720766f6e204d69736573"
    },
    {
      "4d757272617920526f746862617264",
      "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
          + "81cbad1f276e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9"
          + "bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f"
          + "8814c7194e83f23dbd8d162c9326ad"
    },
    {
      "462e20412e20486179656b",
      "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a8"
          + "0ae475b9df0f169ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6"
          + "ae769a1d95941d49b25030"
    },
    {"4361726c204d656e676572", "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"},
    {
      "4a65616e2d426170746973746520536179",
      "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"
    },
    {
      "457567656e2042f6686d20766f6e2042617765726b",
      "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f"
    },
  };

  private final XxHandshake initiator =
      new XxHandshake(true, INITIATOR, INITIATOR_EPHEMERAL, PROLOGUE);
  private final XxHandshake responder =
      new XxHandshake(false, RESPONDER, RESPONDER_EPHEMERAL, PROLOGUE);

  @Test
  void makesThePublishedVectorsMessages() throws Exception {
    for (int i = 0; i < 3; i++) {
      XxHandshake writer = i % 2 == 0 ? initiator : responder;
      XxHandshake reader = i % 2 == 0 ? responder : initiator;
      assertThat(writer.writesNext()).isTrue();
      byte[] message = writer.write(hex(VECTOR[i][0]));
      assertThat(message).isEqualTo(hex(VECTOR[i][1]));
      assertThat(reader.read(message)).isEqualTo(hex(VECTOR[i][0]));
    }
    assertThat(initiator.remoteStatic()).isEqualTo(RESPONDER.open());
    assertThat(responder.remoteStatic()).isEqualTo(INITIATOR.open());

    CipherState[] initiators = initiator.split();
    CipherState[] responders = responder.split();
    for (int i = 3; i < VECTOR.length; i++) {
      CipherState encryption = i % 2 == 0 ? initiators[0] : responders[0];
      CipherState decryption = i % 2 == 0 ? responders[1] : initiators[1];
      byte[] payload = hex(VECTOR[i][0]);
      byte[] message = Arrays.copyOf(payload, payload.length + CipherState.TAG_BYTES);
      encryption.encrypt(message, 0, payload.length, null);
      assertThat(message).isEqualTo(hex(VECTOR[i][1]));
      assertThat(decryption.decrypt(message, 0, message.length, null)).isEqualTo(payload.length);
      assertThat(message).startsWith(payload);
    }
  }

  @Test
  void aMessageWithAnyChangedByteIsRefused() {
    byte[] first = initiator.write(new byte[0]);
    responder.read(first);
    byte[] second = responder.write(hex("aa"));
    second[second.length - 1] ^= 1;
    assertThatThrownBy(() -> initiator.read(second))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("handshake message 2 is not encrypted with the agreed key");
  }

  @Test
  void aMessageCutShortIsRefused() {
    assertThatThrownBy(() -> responder.read(new byte[31]))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("message 1 of 31 bytes is cut short");
    responder.read(initiator.write(new byte[0]));
    byte[] second = responder.write(new byte[0]);
    assertThatThrownBy(() -> initiator.read(Arrays.copyOf(second, second.length - 1)))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("message 2 of 95 bytes is cut short");
  }

  @Test
  void aPointOfSmallOrderIsRefused() {
    responder.read(new byte[32]);
    assertThatThrownBy(() -> responder.write(new byte[0]))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("small order");
  }

  private static KeyPair25519 pair(String secret) {
    return KeyPair25519.of(hex(secret));
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }
}
