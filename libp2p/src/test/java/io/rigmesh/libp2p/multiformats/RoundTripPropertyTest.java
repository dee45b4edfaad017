package io.rigmesh.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

class RoundTripPropertyTest {
  @Property(tries = 300)
  void base58(@ForAll @Size(max = 150) byte[] bytes) {
    assertThat(Base58.decode(Base58.encode(bytes))).isEqualTo(bytes);
  }

  @Property(tries = 300)
  void base32(@ForAll @Size(max = 150) byte[] bytes) {
    assertThat(Base32.decode(Base32.encode(bytes))).isEqualTo(bytes);
  }

  @Property(tries = 300)
  void varint(@ForAll @LongRange(min = 0) long value) {
    assertThat(Varint.read(Varint.encode(value), 0).value()).isEqualTo(value);
  }

  @Property(tries = 500)
  void multiaddr(@ForAll("addresses") Multiaddr address) {
    assertThat(Multiaddr.of(address.toString())).isEqualTo(address);
    assertThat(Multiaddr.of(address.bytes())).isEqualTo(address);
  }

  @Property(tries = 500)
  void ip6(@ForAll @Size(16) byte[] value) {
    AddressPart part = AddressPart.of(AddressProtocol.IP6, value);
    assertThat(AddressPart.of(AddressProtocol.IP6, part.text()).bytes()).isEqualTo(value);
  }

  @Provide
  Arbitrary<Multiaddr> addresses() {
    return parts().list().ofMinSize(1).ofMaxSize(6).map(RoundTripPropertyTest::joined);
  }

  private static Multiaddr joined(List<AddressPart> parts) {
    return Multiaddr.of(parts.toArray(AddressPart[]::new));
  }

  /// A path swallows all that follows in the text form: it stands in no random place.
  private static Arbitrary<AddressPart> parts() {
    return Arbitraries.of(AddressProtocol.values())
        .filter(protocol -> protocol.form() != AddressProtocol.Form.PATH)
        .flatMap(protocol -> values(protocol).map(value -> AddressPart.of(protocol, value)));
  }

  private static Arbitrary<byte[]> values(AddressProtocol protocol) {
    return switch (protocol.form()) {
      case NONE, BYTE, PORT, IP4, LONG, IP6 ->
          Arbitraries.bytes().array(byte[].class).ofSize(protocol.form().bytes);
      case TEXT ->
          Arbitraries.strings()
              .alpha()
              .numeric()
              .withChars('.', '-')
              .ofMinLength(1)
              .ofMaxLength(40)
              .map(text -> text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      case PEER ->
          Arbitraries.bytes()
              .array(byte[].class)
              .ofSize(32)
              .map(RoundTripPropertyTest::sha256Multihash);
      case MULTIBASE -> Arbitraries.bytes().array(byte[].class).ofMinSize(1).ofMaxSize(40);
      case PATH -> throw new IllegalArgumentException("A path is left out");
    };
  }

  private static byte[] sha256Multihash(byte[] digest) {
    byte[] out = new byte[34];
    out[0] = 0x12;
    out[1] = 32;
    System.arraycopy(digest, 0, out, 2, 32);
    return out;
  }
}
