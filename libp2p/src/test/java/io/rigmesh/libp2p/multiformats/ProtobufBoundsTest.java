package io.rigmesh.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ProtobufBoundsTest {
  private static final ProtobufBounds BOUNDS =
      ProtobufBounds.fields(8).nested(2, 3, ProtobufBounds.fields(4).atMost(1, 2));

  @Test
  void aMessageWithinItsBoundsIsHandedBack() {
    byte[] message = hex("0896ffffffffffffffff01" + "1204" + "0a000a00" + "1d00000000");
    assertThat(BOUNDS.check("test", message)).isSameAs(message);
  }

  @Test
  void tooManyElementsAreRefusedWithoutParsing() {
    ByteArrayOutputStream giant = new ByteArrayOutputStream();
    for (int i = 0; i < 1_000_000; i++) {
      giant.writeBytes(new byte[] {0x12, 0});
    }
    refused(giant.toByteArray(), "test: a message holds field 2 over 3 times");
  }

  @Test
  void unknownFieldsCountAsWell() {
    refused(hex("3800".repeat(9)), "test: a message holds over 8 fields");
  }

  @Test
  void nestedMessagesAreBounded() {
    refused(hex("1206" + "0a00".repeat(3)), "test: a message holds field 1 over 2 times");
  }

  @Test
  void fieldsOfAllNestedMessagesCountTogether() {
    byte[] message = hex("12040a000a00".repeat(3));
    assertThat(BOUNDS.check("test", message, 9)).isSameAs(message);
    assertThatThrownBy(() -> BOUNDS.check("test", message, 8))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessage("test: a message holds too many fields in nested messages");
  }

  @Test
  void brokenWireFormsAreRefused() {
    refused(hex("12"), "test: a message's number is cut short");
    refused(hex("1205ff"), "test: a message's field is cut short");
    refused(hex("12ffffffffffffffffff01"), "test: a message's field is cut short");
    refused(hex("08ffffffffffffffffffff01"), "test: a message's number is over ten bytes");
    refused(hex("0b"), "test: a message holds wire type 3, which is not used here");
    refused(hex("0000"), "test: a message holds a field number that does not exist");
  }

  @Property
  void anyBytesEitherPassOrAreMisbehaviour(@ForAll byte[] bytes) {
    try {
      assertThat(BOUNDS.check("test", bytes)).isSameAs(bytes);
    } catch (PeerMisbehaviourException e) {
      assertThat(e).hasMessageStartingWith("test: ");
    }
  }

  private static void refused(byte[] bytes, String message) {
    assertThatThrownBy(() -> BOUNDS.check("test", bytes))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessage(message);
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }
}
