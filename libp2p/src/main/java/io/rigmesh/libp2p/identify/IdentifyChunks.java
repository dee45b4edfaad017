package io.rigmesh.libp2p.identify;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identify.wire.IdentifyWire;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.List;

/// Cuts what a host says of itself into messages that every implementation takes: 4 KiB each, to be
/// merged by the reader. Some read only the first, so that it holds what matters most.
final class IdentifyChunks {
  static final int CHUNK_BYTES_MAX = 4096;
  static final int CHUNKS_MAX = 10;

  /// Addresses beyond this are not told: a peer has no use for so many.
  static final int ADDRESSES_BYTES_MAX = 1536;

  private final List<IdentifyWire.Identify> chunks = new ArrayList<>();
  private IdentifyWire.Identify.Builder open;
  private int openBytes;

  private IdentifyChunks(IdentifyWire.Identify.Builder head) {
    this.open = head;
    this.openBytes = head.build().getSerializedSize();
  }

  /// The addresses that fit, best first.
  static List<Multiaddr> fitting(List<Multiaddr> addresses) {
    List<Multiaddr> fit = new ArrayList<>();
    int bytes = 0;
    for (Multiaddr address : addresses) {
      bytes += address.bytes().length;
      if (bytes > ADDRESSES_BYTES_MAX) {
        break;
      }
      fit.add(address);
    }
    return fit;
  }

  /// @param head versions, key and observed address
  /// @param signedRecord empty bytes for none
  static List<IdentifyWire.Identify> of(
      IdentifyWire.Identify.Builder head,
      List<Multiaddr> addresses,
      byte[] signedRecord,
      List<ProtocolId> protocols) {
    IdentifyChunks chunks = new IdentifyChunks(head);
    for (Multiaddr address : fitting(addresses)) {
      ByteString bytes = ByteString.copyFrom(address.bytes());
      chunks.room(CodedOutputStream.computeBytesSize(2, bytes));
      chunks.open.addListenAddrs(bytes);
    }
    if (signedRecord.length > 0) {
      ByteString bytes = ByteString.copyFrom(signedRecord);
      chunks.room(CodedOutputStream.computeBytesSize(8, bytes));
      chunks.open.setSignedPeerRecord(bytes);
    }
    for (ProtocolId protocol : protocols) {
      if (!chunks.room(CodedOutputStream.computeStringSize(3, protocol.name()))) {
        break;
      }
      chunks.open.addProtocols(protocol.name());
    }
    chunks.chunks.add(chunks.open.build());
    return chunks.chunks;
  }

  /// Begins another message when the open one has no room; false when there may be no more.
  private boolean room(int bytes) {
    if (openBytes + bytes > CHUNK_BYTES_MAX && openBytes > 0) {
      if (chunks.size() == CHUNKS_MAX - 1) {
        return false;
      }
      chunks.add(open.build());
      open = IdentifyWire.Identify.newBuilder();
      openBytes = 0;
    }
    openBytes += bytes;
    return true;
  }
}
