package io.rigmesh.libp2p.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import java.security.SecureRandom;
import java.time.Instant;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class VoucherTest {
  private static final Instant EXPIRY = Instant.ofEpochSecond(1_800_000_000);
  private static final PrivateKey RELAY_KEY = Ed25519PrivateKey.generate(new SecureRandom());
  private static final PrivateKey OTHER_KEY = Ed25519PrivateKey.generate(new SecureRandom());
  private static final PeerId RELAY = PeerId.of(RELAY_KEY.publicKey());
  private static final PeerId PEER = PeerId.of(OTHER_KEY.publicKey());

  @Test
  void readsBackWhatTheRelayHasSigned() {
    Voucher voucher = new Voucher(RELAY, PEER, EXPIRY);
    byte[] bytes = voucher.seal(RELAY_KEY).bytes();
    assertThat(Voucher.open(bytes, RELAY, PEER)).isEqualTo(voucher);
  }

  @Test
  void refusesAVoucherThatAnotherHasSigned() {
    byte[] bytes = new Voucher(RELAY, PEER, EXPIRY).seal(OTHER_KEY).bytes();
    assertThatThrownBy(() -> Voucher.open(bytes, RELAY, PEER))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("is signed by " + PEER);
  }

  @Test
  void refusesAVoucherForAnotherPeer() {
    byte[] bytes = new Voucher(RELAY, RELAY, EXPIRY).seal(RELAY_KEY).bytes();
    assertThatThrownBy(() -> Voucher.open(bytes, RELAY, PEER))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("made out by");
  }

  @Test
  void refusesAnEnvelopeOfAnotherDomain() {
    byte[] bytes =
        SignedEnvelope.seal(RELAY_KEY, "libp2p-peer-record", new byte[] {3, 2}, new byte[0])
            .bytes();
    assertThatThrownBy(() -> Voucher.open(bytes, RELAY, PEER))
        .isInstanceOf(PeerMisbehaviourException.class);
  }

  @Property(tries = 200)
  void refusesEveryVoucherThatWasAltered(@ForAll int at, @ForAll byte change) {
    byte[] bytes = new Voucher(RELAY, PEER, EXPIRY).seal(RELAY_KEY).bytes();
    if (change == 0) {
      return;
    }
    bytes[Math.floorMod(at, bytes.length)] ^= change;
    try {
      Voucher opened = Voucher.open(bytes, RELAY, PEER);
      // A changed tag of a length may still mean the same in protobuf, never something else.
      assertThat(opened).isEqualTo(new Voucher(RELAY, PEER, EXPIRY));
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).isNotBlank();
    }
  }

  @Property(tries = 200)
  void garbageIsRefusedAsMisbehaviour(@ForAll byte[] garbage) {
    assertThatThrownBy(() -> Voucher.open(garbage, RELAY, PEER))
        .isInstanceOf(PeerMisbehaviourException.class);
  }
}
