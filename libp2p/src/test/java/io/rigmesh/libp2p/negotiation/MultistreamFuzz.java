package io.rigmesh.libp2p.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.rigmesh.libp2p.PeerMisbehaviourException;

/// What a fuzzer may feed multistream-select.
public final class MultistreamFuzz {
  private MultistreamFuzz() {}

  /// A header and a proposal.
  public static byte[] seed() {
    ByteBuf lines =
        Lines.encode(UnpooledByteBufAllocator.DEFAULT, "/multistream/1.0.0", "/ipfs/ping/1.0.0");
    byte[] bytes = new byte[lines.readableBytes()];
    lines.readBytes(bytes).release();
    return bytes;
  }

  /// Takes lines until there are no more; each moves on.
  public static void lines(byte[] bytes) {
    ByteBuf in = Unpooled.wrappedBuffer(bytes);
    try {
      int before = in.readableBytes();
      while (Lines.take(in) != null) {
        if (in.readableBytes() >= before) {
          throw new IllegalStateException("A line of nothing");
        }
        before = in.readableBytes();
      }
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
  }
}
