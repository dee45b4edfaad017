package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.multiformats.Multiaddr;
import org.junit.jupiter.api.Test;

class IpGroupTest {
  @Test
  void anIpGroupIsTheFirst16BitsOfIp4And32OfIp6() {
    assertThat(group("/ip4/9.8.7.6/tcp/1")).isEqualTo(group("/ip4/9.8.1.1/udp/2/quic-v1"));
    assertThat(group("/ip4/9.8.7.6/tcp/1")).isNotEqualTo(group("/ip4/9.9.7.6/tcp/1"));
    assertThat(group("/ip6/2a00:1450:1::1/tcp/1")).isEqualTo(group("/ip6/2a00:1450:2::1/tcp/1"));
    assertThat(group("/ip6/2a00:1450::1/tcp/1")).isNotEqualTo(group("/ip6/2a00:1451::1/tcp/1"));
    assertThat(group("/ip6/::ffff:9.8.7.6/tcp/1")).isEqualTo(group("/ip4/9.8.0.0/tcp/1"));
  }

  @Test
  void whatIsNoPublicIpAddressHasNone() {
    assertThat(IpGroup.of(Multiaddr.of("/ip4/10.0.0.1/tcp/1"))).isEmpty();
    assertThat(IpGroup.of(Multiaddr.of("/ip4/127.0.0.1/tcp/1"))).isEmpty();
    assertThat(IpGroup.of(Multiaddr.of("/dns4/peer.example.org/tcp/1"))).isEmpty();
  }

  private static IpGroup group(String address) {
    return IpGroup.of(Multiaddr.of(address)).orElseThrow();
  }
}
