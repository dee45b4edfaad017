package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.kad.wire.KadWire;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KadMessageTest {
  private static final String PROTOCOL = "/ipfs/kad/1.0.0";
  private static final ByteString KEY = ByteString.copyFromUtf8("/n/key");

  @ParameterizedTest
  @EnumSource(KadMessage.Type.class)
  void aMessageReadsBack(KadMessage.Type type) {
    KadMessage message =
        new KadMessage(
            type,
            KEY,
            Optional.of(ByteString.copyFromUtf8("value")),
            List.of(
                KadPeers.at(KadPeers.peer(1), "/ip4/1.2.3.4/tcp/1", "/ip6/::1/udp/2/quic-v1"),
                KadPeers.at(KadPeers.peer(2))),
            List.of(KadPeers.at(KadPeers.peer(3), "/dns4/a.example/tcp/1")));
    assertThat(KadMessage.decode(PROTOCOL, message.encode())).isEqualTo(message);
  }

  /// Bytes made by hand from the specification's field numbers.
  @Test
  void theWireFormIsTheSpecifications() {
    assertThat(KadMessage.findNode(ByteString.copyFromUtf8("k")).encode())
        .containsExactly(0x08, 4, 0x12, 1, 'k');
    assertThat(KadMessage.decode(PROTOCOL, new byte[] {0x12, 1, 'k', 0x50, 0}).type())
        .isEqualTo(KadMessage.Type.PUT_VALUE);
  }

  @Test
  void aPeersOwnIdAtTheEndOfItsAddressIsTakenOff() {
    PeerAddress plain = KadPeers.at(KadPeers.peer(1), "/ip4/1.2.3.4/tcp/1");
    PeerAddress full = KadPeers.at(plain.peer(), "/ip4/1.2.3.4/tcp/1/p2p/" + plain.peer());
    KadMessage message = KadMessage.addProvider(KEY, full);
    assertThat(KadMessage.decode(PROTOCOL, message.encode()).providers()).containsExactly(plain);
  }

  @Test
  void whatMayBeNewerThanThisSoftwareIsDropped() {
    KadWire.Message message =
        KadWire.Message.newBuilder()
            .setType(KadWire.Message.MessageType.FIND_NODE)
            .setKey(KEY)
            .addCloserPeers(KadWire.Message.Peer.newBuilder().setId(ByteString.copyFromUtf8("?")))
            .addCloserPeers(
                KadWire.Message.Peer.newBuilder()
                    .setId(ByteString.copyFrom(KadPeers.peer(1).bytes()))
                    .addAddrs(ByteString.copyFrom(new byte[] {(byte) 0xff, 0x7f, 1}))
                    .addAddrs(ByteString.EMPTY))
            .build();
    assertThat(KadMessage.decode(PROTOCOL, message.toByteArray()).closer())
        .containsExactly(KadPeers.at(KadPeers.peer(1)));
  }

  @Test
  void giantCountsAreRefusedBeforeTheyAreParsed() {
    ByteArrayOutputStream peers = new ByteArrayOutputStream();
    for (int i = 0; i < 200_000; i++) {
      peers.writeBytes(new byte[] {0x42, 0});
    }
    refused(peers.toByteArray(), "field 8 over 64 times");
    ByteArrayOutputStream addresses = new ByteArrayOutputStream();
    for (int i = 0; i < 129; i++) {
      addresses.writeBytes(new byte[] {0x12, 0});
    }
    KadWire.Message.Builder nested = KadWire.Message.newBuilder();
    byte[] peer = addresses.toByteArray();
    ByteArrayOutputStream outer = new ByteArrayOutputStream();
    outer.writeBytes(nested.setKey(KEY).build().toByteArray());
    outer.writeBytes(new byte[] {0x4a, (byte) 0x82, 0x02});
    outer.writeBytes(peer);
    refused(outer.toByteArray(), "field 2 over 128 times");
  }

  @Test
  void brokenMessagesAreRefusedWithTheReason() {
    refused(new byte[] {0x08, 99}, "unknown type 99");
    refused(
        KadMessage.findNode(ByteString.copyFrom(new byte[129])).encode(),
        "a key of 129 bytes is over 128");
    refused(
        KadMessage.putValue(KEY, ByteString.copyFrom(new byte[KadMessage.VALUE_BYTES_MAX + 1]))
            .encode(),
        "a value of 16385 bytes is over 16384");
    KadWire.Message other =
        KadWire.Message.newBuilder()
            .setKey(KEY)
            .setRecord(KadWire.Record.newBuilder().setKey(ByteString.copyFromUtf8("other")))
            .build();
    refused(other.toByteArray(), "a record's key is not the key of the message");
  }

  @Test
  void theLargestRequestAndResponseFitTheirLimits() {
    String longest = "/dns4/" + "a".repeat(180) + ".example/tcp/65535";
    String[] addresses = new String[KadMessage.ADDRESSES_MAX];
    java.util.Arrays.fill(addresses, longest);
    PeerAddress peer = KadPeers.at(KadPeers.peer(1), addresses);
    ByteString key = ByteString.copyFrom(new byte[KadMessage.KEY_BYTES_MAX]);
    assertThat(KadMessage.addProvider(key, peer).encode().length)
        .isLessThan(KadMessage.REQUEST_BYTES_MAX);
    ByteString value = ByteString.copyFrom(new byte[KadMessage.VALUE_BYTES_MAX]);
    assertThat(KadMessage.putValue(key, value).encode().length)
        .isLessThan(KadMessage.REQUEST_BYTES_MAX);
    KadMessage answer =
        new KadMessage(
            KadMessage.Type.GET_PROVIDERS,
            key,
            Optional.of(value),
            java.util.Collections.nCopies(KadMessage.CLOSER_MAX, peer),
            java.util.Collections.nCopies(KadMessage.PROVIDERS_MAX, peer));
    assertThat(answer.encode().length).isLessThan(KadMessage.RESPONSE_BYTES_MAX);
    assertThat(KadMessage.decode(PROTOCOL, answer.encode()).providers())
        .hasSize(KadMessage.PROVIDERS_MAX);
  }

  @Property(tries = 2_000)
  void anyBytesEitherReadOrAreMisbehaviour(@ForAll byte[] bytes) {
    try {
      KadMessage message = KadMessage.decode(PROTOCOL, bytes);
      assertThat(message.closer()).hasSizeLessThanOrEqualTo(KadMessage.CLOSER_MAX);
    } catch (PeerMisbehaviourException e) {
      assertThat(e).hasMessageStartingWith(PROTOCOL);
    }
  }

  @Property(tries = 2_000)
  void aDamagedMessageEitherReadsOrIsMisbehaviour(@ForAll int position, @ForAll byte to) {
    byte[] bytes =
        new KadMessage(
                KadMessage.Type.GET_PROVIDERS,
                KEY,
                Optional.empty(),
                List.of(KadPeers.at(KadPeers.peer(1), "/ip4/1.2.3.4/tcp/1")),
                List.of(KadPeers.at(KadPeers.peer(2), "/dns4/a.example/tcp/1")))
            .encode();
    bytes[Math.floorMod(position, bytes.length)] = to;
    anyBytesEitherReadOrAreMisbehaviour(bytes);
  }

  private static void refused(byte[] bytes, String reason) {
    assertThatThrownBy(() -> KadMessage.decode(PROTOCOL, bytes))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining(reason);
  }
}
