package io.rigmesh.libp2p.autonat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class AutoNatMessagesPropertyTest {
  @Property(tries = 500)
  void garbageIsAMessageOrMisbehaviour(@ForAll byte[] garbage) {
    try {
      assertThat(AutoNatMessages.message(garbage)).isNotNull();
      assertThat(AutoNatMessages.dialBack(garbage)).isNotNull();
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).startsWith("/libp2p/autonat/2/");
    }
  }

  @Example
  void moreThanFiftyAddressesAreRefusedBeforeTheyAreParsed() {
    AutoNatWire.DialRequest.Builder request = AutoNatWire.DialRequest.newBuilder();
    for (int i = 0; i < AutoNatMessages.ADDRESSES_MAX; i++) {
      request.addAddrs(ByteString.EMPTY);
    }
    AutoNatWire.Message fits = AutoNatWire.Message.newBuilder().setDialRequest(request).build();
    assertThat(AutoNatMessages.message(fits.toByteArray())).isEqualTo(fits);
    byte[] over =
        AutoNatWire.Message.newBuilder()
            .setDialRequest(request.addAddrs(ByteString.EMPTY))
            .build()
            .toByteArray();
    assertThatThrownBy(() -> AutoNatMessages.message(over))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("over 50 times");
  }
}
