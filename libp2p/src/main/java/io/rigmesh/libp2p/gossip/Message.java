package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.PeerId;
import java.io.IOException;
import java.nio.ByteBuffer;

/// A message with every field that StrictSign asks for; its signature may not have been checked
/// yet.
///
/// Its wire form is this host's own encoding (known fields in order, then unknown ones), in an
/// array of its own: what is verified is what is forwarded, and no frame of a peer stays in memory
/// for the sake of one message in it.
///
/// @param author who says to have signed it
/// @param view the fields, sharing memory with the wire form
record Message(
    MessageId id,
    String topic,
    PeerId author,
    long sequence,
    GossipWire.Message view,
    ByteString wire) {

  static final int SEQUENCE_BYTES = 8;

  /// Reads a message from outside.
  ///
  /// @throws IllegalArgumentException saying which rule of StrictSign it breaks
  static Message of(GossipWire.Message message, int dataBytesMax) {
    if (!TopicName.isValid(message.getTopicBytes())) {
      throw new IllegalArgumentException(
          "its topic is not 1 to " + TopicName.BYTES_MAX + " bytes of UTF-8");
    }
    if (message.getFrom().isEmpty()) {
      throw new IllegalArgumentException("it has no author");
    }
    if (message.getSeqno().size() != SEQUENCE_BYTES) {
      throw new IllegalArgumentException(
          "its sequence number has " + message.getSeqno().size() + " bytes, not 8");
    }
    if (message.getSignature().isEmpty()) {
      throw new IllegalArgumentException("it has no signature");
    }
    if (message.getData().size() > dataBytesMax) {
      throw new IllegalArgumentException(
          "its data has " + message.getData().size() + " bytes, over " + dataBytesMax);
    }
    return ofChecked(message);
  }

  /// A message whose fields are known to be whole.
  static Message ofChecked(GossipWire.Message message) {
    ByteString wire = message.toByteString();
    GossipWire.Message view;
    try {
      CodedInputStream input = wire.newCodedInput();
      input.enableAliasing(true);
      view = GossipWire.Message.parseFrom(input);
    } catch (IOException e) {
      throw new IllegalStateException("A message does not read back", e);
    }
    return new Message(
        new MessageId(view.getFrom().concat(view.getSeqno())),
        view.getTopic(),
        PeerId.of(view.getFrom().toByteArray()),
        ByteBuffer.wrap(view.getSeqno().toByteArray()).getLong(),
        view,
        wire);
  }

  ByteString data() {
    return view.getData();
  }

  /// The memory that it holds, about.
  int size() {
    return wire.size();
  }

  GossipMessage received(PeerId from) {
    return new GossipMessage(topic, author, from, sequence, data());
  }
}
