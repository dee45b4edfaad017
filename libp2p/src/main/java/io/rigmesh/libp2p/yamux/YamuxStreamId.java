package io.rigmesh.libp2p.yamux;

import io.netty.channel.ChannelId;

/// A stream's channel id: its connection's, and its number in it. Costs nothing to make, unlike
/// Netty's own.
record YamuxStreamId(ChannelId connection, int stream) implements ChannelId {
  private static final long serialVersionUID = 1L;

  @Override
  public String asShortText() {
    return connection.asShortText() + "/" + Integer.toUnsignedString(stream);
  }

  @Override
  public String asLongText() {
    return connection.asLongText() + "/" + Integer.toUnsignedString(stream);
  }

  @Override
  public int compareTo(ChannelId other) {
    return asLongText().compareTo(other.asLongText());
  }

  @Override
  public String toString() {
    return asShortText();
  }
}
