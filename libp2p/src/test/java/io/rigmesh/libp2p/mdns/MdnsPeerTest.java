package io.rigmesh.libp2p.mdns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class MdnsPeerTest {
  private static final PeerId ALICE = peer(1);
  private static final PeerId BOB = peer(2);
  private static final String NAME = "a".repeat(40);
  private static final Multiaddr TCP = Multiaddr.of("/ip4/192.168.1.5/tcp/4001");
  private static final Multiaddr QUIC = Multiaddr.of("/ip6/fd00::5/udp/4002/quic-v1");

  private final MdnsPeer alice = new MdnsPeer(ALICE, NAME, MdnsSettings.defaults());
  private final MdnsPeer bob = new MdnsPeer(BOB, "b".repeat(40), MdnsSettings.defaults());

  private static PeerId peer(int number) {
    return PeerId.of(
        Ed25519PrivateKey.ofSeed(ByteBuffer.allocate(32).putInt(number).array()).publicKey());
  }

  private static DnsMessage overTheWire(DnsMessage message) {
    return DnsMessage.of(message.bytes());
  }

  @Test
  void theQuestionIsOnTheWireAsTheSpecificationHasIt() {
    assertThat(HexFormat.of().formatHex(alice.ask().bytes()))
        .isEqualTo(
            "0000"
                + "0000"
                + "0001"
                + "0000"
                + "0000"
                + "0000"
                + "04"
                + hex("_p2p")
                + "04"
                + hex("_udp")
                + "05"
                + hex("local")
                + "00"
                + "000c"
                + "0001");
  }

  /// Walks the answer's bytes by hand, independently of the code under test.
  @Test
  void theAnswerIsOnTheWireAsTheSpecificationHasIt() {
    byte[] bytes = alice.answer(bob.ask(), List.of(TCP, QUIC)).orElseThrow().bytes();
    assertThat(bytes.length).isLessThan(1200);
    ByteBuffer wire = ByteBuffer.wrap(bytes);
    assertThat(wire.getShort()).isZero();
    assertThat(wire.getShort() & 0xffff).isEqualTo(0x8400);
    assertThat(wire.getShort()).as("questions").isZero();
    assertThat(wire.getShort()).as("answers").isEqualTo((short) 1);
    assertThat(wire.getShort()).as("authorities").isZero();
    assertThat(wire.getShort()).as("additional: TXT, SRV, A, AAAA").isEqualTo((short) 4);

    assertThat(name(wire)).isEqualTo("_p2p._udp.local");
    assertThat(wire.getShort()).as("PTR").isEqualTo((short) 12);
    assertThat(wire.getShort()).as("a shared record of the internet").isEqualTo((short) 1);
    assertThat(wire.getInt()).isEqualTo(120);
    int length = wire.getShort();
    int end = wire.position() + length;
    assertThat(name(wire)).isEqualTo(NAME + "._p2p._udp.local");
    assertThat(wire.position()).isEqualTo(end);

    assertThat(name(wire)).isEqualTo(NAME + "._p2p._udp.local");
    assertThat(wire.getShort()).as("TXT").isEqualTo((short) 16);
    wire.getShort();
    assertThat(wire.getInt()).isEqualTo(120);
    length = wire.getShort();
    end = wire.position() + length;
    List<String> strings = new ArrayList<>();
    while (wire.position() < end) {
      byte[] string = new byte[wire.get() & 0xff];
      wire.get(string);
      strings.add(new String(string, StandardCharsets.UTF_8));
    }
    assertThat(strings)
        .containsExactly(
            "dnsaddr=/ip4/192.168.1.5/tcp/4001/p2p/" + ALICE,
            "dnsaddr=/ip6/fd00::5/udp/4002/quic-v1/p2p/" + ALICE);
  }

  private static String name(ByteBuffer wire) {
    StringBuilder name = new StringBuilder();
    for (int length = wire.get(); length != 0; length = wire.get()) {
      byte[] label = new byte[length];
      wire.get(label);
      name.append(name.isEmpty() ? "" : ".").append(new String(label, StandardCharsets.US_ASCII));
    }
    return name.toString();
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void whatOneAnswersTheOtherFinds() {
    DnsMessage answer =
        overTheWire(alice.answer(overTheWire(bob.ask()), List.of(TCP, QUIC)).orElseThrow());
    assertThat(bob.found(answer)).containsExactly(new PeerAddress(ALICE, List.of(TCP, QUIC)));
    assertThat(alice.found(answer)).as("oneself is not found").isEmpty();
  }

  @Test
  void addressesOfOtherScopesAreNeitherToldNorBelieved() {
    List<Multiaddr> others =
        List.of(
            Multiaddr.of("/ip4/127.0.0.1/tcp/1"),
            Multiaddr.of("/ip4/8.8.8.8/tcp/1"),
            TCP.then("/p2p/" + BOB + "/p2p-circuit"));
    assertThat(alice.answer(bob.ask(), others)).isEmpty();
    DnsMessage lie = response(others.stream().map(a -> "dnsaddr=" + a.withPeerId(ALICE)).toList());
    assertThat(bob.found(overTheWire(lie))).isEmpty();
  }

  private static DnsMessage response(List<String> strings) {
    return DnsMessage.response(
        List.of(
            DnsMessage.ptr("_p2p._udp.local", "x._p2p._udp.local", 120),
            DnsMessage.txt("x._p2p._udp.local", strings, 120)),
        List.of());
  }

  @Test
  void severalTextRecordsOfAPeerWithoutOtherRecordsAreEnough() {
    DnsMessage plain =
        DnsMessage.response(
            List.of(
                DnsMessage.ptr("_p2p._udp.local", "x._P2P._udp.LOCAL", 120),
                DnsMessage.txt(
                    "X._p2p._udp.local", List.of("dnsaddr=" + TCP.withPeerId(ALICE)), 120),
                DnsMessage.txt(
                    "x._p2p._udp.local", List.of("dnsaddr=" + QUIC.withPeerId(ALICE)), 120)),
            List.of());
    assertThat(bob.found(overTheWire(plain)))
        .containsExactly(new PeerAddress(ALICE, List.of(TCP, QUIC)));
  }

  @Test
  void nonsenseAmongTheStringsIsPassedOver() {
    DnsMessage mixed =
        response(
            List.of(
                "",
                "dnsaddr=",
                "dnsaddr=/ip4/1.2.3",
                "x=" + TCP.withPeerId(ALICE),
                "dnsaddr=" + TCP,
                "dnsaddr=" + TCP.withPeerId(ALICE)));
    assertThat(bob.found(overTheWire(mixed))).containsExactly(new PeerAddress(ALICE, List.of(TCP)));
  }

  @Test
  void recordsOfOtherServicesAndGoodbyesAreNotPeers() {
    List<String> strings = List.of("dnsaddr=" + TCP.withPeerId(ALICE));
    assertThat(
            bob.found(
                DnsMessage.response(
                    List.of(
                        DnsMessage.ptr("_ipp._tcp.local", "x._ipp._tcp.local", 120),
                        DnsMessage.txt("x._ipp._tcp.local", strings, 120)),
                    List.of())))
        .isEmpty();
    assertThat(bob.found(overTheWire(alice.goodbye()))).isEmpty();
    assertThat(
            bob.found(
                DnsMessage.response(
                    List.of(
                        DnsMessage.ptr("_p2p._udp.local", "x._p2p._udp.local", 0),
                        DnsMessage.txt("x._p2p._udp.local", strings, 120)),
                    List.of())))
        .isEmpty();
  }

  @Test
  void theOtherQuestionsOfServiceDiscoveryAreAnswered() {
    String instance = NAME + "._p2p._udp.local";
    assertThat(answered(MdnsPeer.META, DnsMessage.PTR).target()).isEqualTo("_p2p._udp.local");
    assertThat(answered(instance, DnsMessage.TXT).strings()).hasSize(2);
    assertThat(answered(instance, DnsMessage.SRV).data().substring(4, 6))
        .isEqualTo(ByteString.copyFrom(new byte[] {0x0f, (byte) 0xa1}));
    assertThat(answered(NAME + ".p2p.local", DnsMessage.A).data())
        .isEqualTo(ByteString.copyFrom(new byte[] {(byte) 192, (byte) 168, 1, 5}));
    assertThat(answered(NAME + ".p2p.local", DnsMessage.AAAA).data().size()).isEqualTo(16);
    assertThat(
            alice.answer(
                DnsMessage.query(List.of(new DnsMessage.Question("other.local", DnsMessage.A))),
                List.of(TCP)))
        .isEmpty();
  }

  private DnsMessage.Answer answered(String name, int type) {
    DnsMessage answer =
        overTheWire(
            alice
                .answer(
                    DnsMessage.query(List.of(new DnsMessage.Question(name, type))),
                    List.of(TCP, QUIC))
                .orElseThrow());
    assertThat(answer.answers()).isEqualTo(1);
    assertThat(answer.records().getFirst().type()).isEqualTo(type);
    return answer.records().getFirst();
  }

  @Test
  void manyAddressesAreCutToOnePacketAndManyPeersToABound() {
    List<Multiaddr> many =
        IntStream.range(1, 200)
            .mapToObj(port -> Multiaddr.of("/ip4/10.0.0.1/tcp/" + port))
            .toList();
    DnsMessage answer = alice.answer(bob.ask(), many).orElseThrow();
    assertThat(answer.bytes().length).isLessThan(1200);
    assertThat(bob.found(overTheWire(answer)).getFirst().addresses()).hasSizeBetween(5, 20);

    DnsMessage flood =
        response(
            IntStream.range(10, 90).mapToObj(i -> "dnsaddr=" + TCP.withPeerId(peer(i))).toList());
    assertThat(bob.found(flood)).hasSize(MdnsPeer.PEERS_PER_MESSAGE_MAX);
  }

  @Test
  void aNameThatPointsAtItselfIsRefused() {
    byte[] loop = new byte[20];
    loop[5] = 1;
    loop[12] = (byte) 0xc0;
    loop[13] = 12;
    assertThatThrownBy(() -> DnsMessage.of(loop))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("points forward");
  }

  @Test
  void aCompressedNameIsRead() {
    byte[] question = alice.ask().bytes();
    ByteBuffer wire = ByteBuffer.allocate(question.length + 18).put(question);
    wire.putShort(6, (short) 1);
    wire.putShort(2, (short) 0x8400);
    // "x" and then the question's name, as the target of a record of the question's name.
    wire.putShort((short) 0xc00c).putShort((short) 12).putShort((short) 1).putInt(120);
    wire.putShort((short) 4).put((byte) 1).put((byte) 'x').putShort((short) 0xc00c);
    DnsMessage read = DnsMessage.of(java.util.Arrays.copyOf(wire.array(), wire.position()));
    assertThat(read.records().getFirst().name()).isEqualTo("_p2p._udp.local");
    assertThat(read.records().getFirst().target()).isEqualTo("x._p2p._udp.local");
  }

  @Property(tries = 3000)
  void garbageIsRefusedOrReadButNeverFailsOtherwise(
      @ForAll @Size(max = 300) byte[] garbage, @ForAll boolean count) {
    byte[] bytes = garbage.clone();
    if (count && bytes.length >= 12) {
      // Small counts, so that records are reached.
      for (int i = 4; i < 12; i += 2) {
        bytes[i] = 0;
        bytes[i + 1] &= 3;
      }
      bytes[2] |= (byte) 0x80;
    }
    try {
      DnsMessage message = DnsMessage.of(bytes);
      bob.found(message);
      bob.answer(message, List.of(TCP));
    } catch (IllegalArgumentException malformed) {
      assertThat(malformed.getMessage()).isNotEmpty();
    }
  }

  @Property(tries = 2000)
  void anAnswerWithBitsFlippedNeverFailsOtherwise(@ForAll int at, @ForAll byte mask) {
    byte[] bytes = alice.answer(bob.ask(), List.of(TCP, QUIC)).orElseThrow().bytes();
    bytes[Math.floorMod(at, bytes.length)] ^= mask;
    try {
      bob.found(DnsMessage.of(bytes));
    } catch (IllegalArgumentException malformed) {
      assertThat(malformed.getMessage()).isNotEmpty();
    }
  }
}
