package io.rigmesh.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AddressScopeTest {
  @Test
  void eachKindOfAddressHasItsScope() {
    Map.ofEntries(
            Map.entry("/ip4/127.0.0.1/tcp/1", AddressScope.LOOPBACK),
            Map.entry("/ip4/127.200.0.1/tcp/1", AddressScope.LOOPBACK),
            Map.entry("/ip6/::1/tcp/1", AddressScope.LOOPBACK),
            Map.entry("/memory/7", AddressScope.LOOPBACK),
            Map.entry("/dns4/localhost/tcp/1", AddressScope.LOOPBACK),
            Map.entry("/ip4/10.0.0.1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip4/172.31.255.255/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip4/192.168.1.1/udp/1/quic-v1", AddressScope.PRIVATE),
            Map.entry("/ip4/100.64.1.1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip4/169.254.1.1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip6/fd00::1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip6/fe80::1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip6zone/eth0/ip6/fe80::1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/dns/printer.LOCAL/tcp/1", AddressScope.PRIVATE),
            Map.entry("/ip4/172.32.0.1/tcp/1", AddressScope.PUBLIC),
            Map.entry("/ip4/8.8.8.8/tcp/1", AddressScope.PUBLIC),
            Map.entry("/ip6/2001:4860::1/tcp/1", AddressScope.PUBLIC),
            Map.entry("/ip6/::ffff:10.0.0.1/tcp/1", AddressScope.PRIVATE),
            Map.entry("/dnsaddr/bootstrap.example.org", AddressScope.PUBLIC),
            Map.entry("/ip4/0.0.0.0/tcp/1", AddressScope.NONE),
            Map.entry("/ip6/::/tcp/1", AddressScope.NONE),
            Map.entry("/ip4/224.0.0.251/udp/5353", AddressScope.NONE),
            Map.entry("/ip4/255.255.255.255/udp/1", AddressScope.NONE),
            Map.entry("/tcp/1", AddressScope.NONE),
            Map.entry("/", AddressScope.NONE))
        .forEach((text, scope) ->
            assertThat(AddressScope.of(Multiaddr.of(text))).as(text).isEqualTo(scope));
  }

  @Test
  void anAddressIsOfUseOnlyToPeersAsNearAsItReaches() {
    assertThat(AddressScope.PRIVATE.usableFrom(AddressScope.PUBLIC)).isFalse();
    assertThat(AddressScope.LOOPBACK.usableFrom(AddressScope.PUBLIC)).isFalse();
    assertThat(AddressScope.LOOPBACK.usableFrom(AddressScope.PRIVATE)).isFalse();
    assertThat(AddressScope.PRIVATE.usableFrom(AddressScope.PRIVATE)).isTrue();
    assertThat(AddressScope.PRIVATE.usableFrom(AddressScope.LOOPBACK)).isTrue();
    assertThat(AddressScope.PUBLIC.usableFrom(AddressScope.PUBLIC)).isTrue();
    assertThat(AddressScope.NONE.usableFrom(AddressScope.LOOPBACK)).isFalse();
  }

  @Test
  void aNetworkContainsWhatSharesItsBits() throws UnknownHostException {
    IpNetwork twelve = IpNetwork.of("172.16.0.0/12");
    assertThat(twelve.contains(InetAddress.getByName("172.31.255.255"))).isTrue();
    assertThat(twelve.contains(InetAddress.getByName("172.32.0.0"))).isFalse();
    assertThat(twelve.contains(InetAddress.getByName("::1"))).isFalse();
    assertThat(IpNetwork.of("0.0.0.0/0").contains(InetAddress.getByName("9.9.9.9"))).isTrue();
    assertThat(IpNetwork.around(InetAddress.getByName("2001:db8:1:2ff::1"), 32, 56))
        .isEqualTo(IpNetwork.around(InetAddress.getByName("2001:db8:1:200::9"), 32, 56))
        .isNotEqualTo(IpNetwork.around(InetAddress.getByName("2001:db8:1:300::9"), 32, 56));
    assertThat(IpNetwork.of("10.9.8.7/8")).hasToString("10.0.0.0/8");
  }

  @Test
  void whatIsNoNetworkIsRefused() {
    for (String text :
        new String[] {"10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/x"}) {
      assertThatThrownBy(() -> IpNetwork.of(text))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
