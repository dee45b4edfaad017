package io.rigmesh.libp2p.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class RelayMessagesPropertyTest {
  @Property(tries = 500)
  void garbageIsAMessageOrMisbehaviour(@ForAll byte[] garbage) {
    try {
      assertThat(RelayMessages.hop(garbage)).isNotNull();
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).startsWith(Relay.HOP.name());
    }
    try {
      assertThat(RelayMessages.stop(garbage)).isNotNull();
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).startsWith(Relay.STOP.name());
    }
  }

  @Property(tries = 500)
  void aPeerIdIsOneOrMisbehaviour(@ForAll byte[] garbage) {
    RelayWire.Peer peer = RelayWire.Peer.newBuilder().setId(ByteString.copyFrom(garbage)).build();
    try {
      assertThat(RelayMessages.peerId("test", peer).bytes()).isEqualTo(garbage);
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).startsWith("test: ");
    }
  }

  @Example
  void aReservationOfTooManyAddressesIsRefusedBeforeItIsParsed() {
    RelayWire.Reservation.Builder reservation = RelayWire.Reservation.newBuilder();
    for (int i = 0; i < 2 * RelayMessages.ADDRESSES_MAX + 1; i++) {
      reservation.addAddrs(ByteString.EMPTY);
    }
    byte[] bytes =
        RelayWire.HopMessage.newBuilder().setReservation(reservation).build().toByteArray();
    assertThatThrownBy(() -> RelayMessages.hop(bytes))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("over 64 fields");
  }
}
