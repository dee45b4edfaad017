package io.rigmesh.libp2p.dcutr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.dcutr.wire.DcutrWire.HolePunch;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class HolePunchMessagesPropertyTest {
  private static final Multiaddr ADDRESS = Multiaddr.of("/ip4/203.0.113.1/udp/4001/quic-v1");

  @Property(tries = 500)
  void garbageIsAMessageOrMisbehaviour(@ForAll byte[] garbage) {
    try {
      assertThat(HolePunchMessages.read(garbage, HolePunch.Type.CONNECT)).isNotNull();
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).startsWith(Dcutr.PROTOCOL.name());
    }
  }

  @Example
  void readsBackItsAddresses() {
    byte[] bytes = HolePunchMessages.connect(List.of(ADDRESS)).toByteArray();
    assertThat(HolePunchMessages.addresses(HolePunchMessages.read(bytes, HolePunch.Type.CONNECT)))
        .containsExactly(ADDRESS);
  }

  @Example
  void tellsNoMoreAddressesThanAMessageHolds() {
    HolePunch message = HolePunchMessages.connect(Collections.nCopies(1000, ADDRESS));
    assertThat(message.getObsAddrsCount()).isEqualTo(HolePunchMessages.ADDRESSES_MAX);
    Multiaddr longest = Multiaddr.of("/dns/" + "a".repeat(1000) + "/tcp/1");
    assertThat(HolePunchMessages.connect(Collections.nCopies(16, longest)).toByteArray().length)
        .isLessThanOrEqualTo(HolePunchMessages.BYTES_MAX);
  }

  @Example
  void refusesTheOtherType() {
    assertThatThrownBy(() ->
            HolePunchMessages.read(HolePunchMessages.sync().toByteArray(), HolePunch.Type.CONNECT))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("SYNC came where CONNECT was due");
  }
}
