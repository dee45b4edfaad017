package io.rigmesh.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MultiaddrTest {
  /// The binary forms that other implementations give these addresses.
  @ParameterizedTest
  @CsvSource({
    "/ip4/1.2.3.4, 0401020304",
    "/ip4/0.0.0.0, 0400000000",
    "/ip6/::1, 2900000000000000000000000000000001",
    "/ip6/2601:9:4f81:9700:803e:ca65:66e8:c21, 29260100094F819700803ECA6566E80C21",
    "/ip6zone/x/ip6/fe80::1, 2A017829FE800000000000000000000000000001",
    "/udp/0, 91020000",
    "/tcp/0, 060000",
    "/sctp/0, 84010000",
    "/udp/1234, 910204D2",
    "/tcp/1234, 0604D2",
    "/sctp/1234, 840104D2",
    "/dccp/1234, 2104D2",
    "/ip4/127.0.0.1/udp/1234, 047F000001910204D2",
    "/ip4/127.0.0.1/tcp/4321, 047F0000010610E1",
    "/ip4/127.0.0.1/udp/1234/ip4/127.0.0.1/tcp/4321, 047F000001910204D2047F0000010610E1",
    "/ip4/127.0.0.1/udp/1234/quic, 047F000001910204D2CC03",
    "/ip4/127.0.0.1/udp/1234/quic-v1, 047F000001910204D2CD03",
    "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC,"
        + " A503221220D52EBB89D85B02A284948203A62FF28389C57C9F42BEEC4EC20DB76A68911C0B",
    "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/tcp/1234,"
        + " A503221220D52EBB89D85B02A284948203A62FF28389C57C9F42BEEC4EC20DB76A68911C0B0604D2",
    "/unix/a/b/c/d/e, 90030A2F612F622F632F642F65",
    "/ip4/127.0.0.1/tcp/9090/http, 047F000001062382E003",
    "/ip4/127.0.0.1/tcp/9090/ws, 047F000001062382DD03",
    "/p2p-circuit, A202",
    "/dns4/a.io, 3604612E696F",
    "/dnsaddr/bootstrap.libp2p.io, 3813626F6F7473747261702E6C69627032702E696F"
  })
  void hasTheBinaryFormOfOtherImplementations(String text, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    assertThat(Multiaddr.of(text).bytes()).isEqualTo(bytes);
    assertThat(Multiaddr.of(bytes)).isEqualTo(Multiaddr.of(text));
    assertThat(Multiaddr.of(bytes)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/ip4/1.2.3.4/udp/9/webrtc-direct/certhash/uEiAsGPzpiPGQzSlVHRXrUCT5EkTV7YFrV4VZ3hpEKTd_zg",
        "/ip4/1.2.3.4/udp/9/quic-v1/webtransport/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ",
        "/ip4/1.2.3.4/tcp/443/tls/sni/example.com/ws",
        "/dns6/example.com/tcp/443/wss",
        "/memory/18446744073709551615",
        "/ip4/1.2.3.4/ipcidr/24",
        "/ip6/2001:db8::/ipcidr/32",
        "/ip4/1.2.3.4/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA/p2p-circuit"
            + "/p2p/12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv"
      })
  void readsBackWhatRealPeersAnnounce(String text) {
    assertThat(Multiaddr.of(text)).hasToString(text);
    assertThat(Multiaddr.of(Multiaddr.of(text).bytes())).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ip4/1.2.3.4",
        "/ip4",
        "/ip4/1.2.3",
        "/ip4/1.2.3.4.5",
        "/ip4/256.0.0.1",
        "/ip4/::1",
        "/ip6/1.2.3.4",
        "/ip6/1::2::3",
        "/ip6/fe80::1%eth0",
        "/ip6/12345::",
        "/tcp/65536",
        "/tcp/-1",
        "/tcp/a",
        "/udp",
        "/ip4/1.2.3.4/tcp",
        "/quic-v1/quic-v1x",
        "/p2p/notapeer",
        "/dns",
        "/unknown/1",
        "/certhash/x",
        "//tcp/1"
      })
  void refusesMalformedText(String text) {
    assertThatThrownBy(() -> Multiaddr.of(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // Cut short: an address, a port, a length, a code.
        "047F0000",
        "0604",
        "A503",
        "A5",
        // A length over what follows, and one that is not in its shortest form.
        "3505612E69",
        "358100612E",
        // An unknown code, and a name with a slash in it.
        "FF7F",
        "3503612F62",
        // An empty name.
        "3500"
      })
  void refusesMalformedBytes(String hex) {
    assertThatThrownBy(() -> Multiaddr.of(HexFormat.of().parseHex(hex)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesWhatIsTooLong() {
    assertThatThrownBy(() -> Multiaddr.of(new byte[Multiaddr.BYTES_MAX + 1]))
        .hasMessageContaining("is over");
    assertThatThrownBy(() -> Multiaddr.of("/dns/" + "a".repeat(8 * Multiaddr.BYTES_MAX)))
        .hasMessageContaining("too long");
  }

  @Test
  void theOldNameOfAPeerIsReadAndTheNewOneWritten() {
    assertThat(Multiaddr.of("/ipfs/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"))
        .hasToString("/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC");
  }

  @Test
  void peersAreNamedAtTheVeryEndOnly() {
    PeerId peer = PeerId.of("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");
    Multiaddr address = Multiaddr.of("/ip4/1.2.3.4/tcp/1");
    assertThat(address.peerId()).isEmpty();
    assertThat(address.withPeerId(peer).peerId()).contains(peer);
    assertThat(address.withPeerId(peer).withoutPeerId()).isEqualTo(address);
    assertThat(address.withPeerId(peer).then("/p2p-circuit").peerId()).isEmpty();
  }
}
