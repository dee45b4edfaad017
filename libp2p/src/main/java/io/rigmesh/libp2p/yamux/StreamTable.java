package io.rigmesh.libp2p.yamux;

import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The open streams of one connection by their ids, and how many of them wait to be acknowledged.
final class StreamTable {
  /// The specification's bound on streams that the other side has not yet acknowledged.
  static final int ACK_BACKLOG_MAX = 256;

  private static final long ID_MAX = 0xffff_ffffL;

  private final IntObjectMap<YamuxStream> streams = new IntObjectHashMap<>(8);
  private final RemoteStreamIds remoteIds;
  private final int inboundMax;
  private long nextId;
  private int inbound;
  private int outboundUnacknowledged;
  private int inboundUnacknowledged;

  StreamTable(Direction role, int inboundMax) {
    this.inboundMax = inboundMax;
    this.nextId = role == Direction.OUTBOUND ? 1 : 2;
    this.remoteIds = new RemoteStreamIds(role == Direction.INBOUND);
  }

  /// Why this side can open no stream now; null when it can.
  @Nullable String refusal() {
    if (nextId > ID_MAX) {
      return "the connection's stream ids are used up";
    }
    if (outboundUnacknowledged >= ACK_BACKLOG_MAX) {
      return ACK_BACKLOG_MAX + " streams wait for the remote to acknowledge them";
    }
    return null;
  }

  /// The next id of ours.
  int takeId() {
    int id = (int) nextId;
    nextId += 2;
    return id;
  }

  /// Takes an id that the remote opens a stream with.
  ///
  /// @return whether there is room for the stream
  /// @throws PeerMisbehaviourException when the id is in use, was used, or is not the remote's
  boolean admit(int streamId) {
    if (streams.containsKey(streamId)) {
      throw new PeerMisbehaviourException(
          "yamux: the remote opened stream " + Integer.toUnsignedString(streamId) + " twice");
    }
    if (!remoteIds.take(Integer.toUnsignedLong(streamId))) {
      throw new PeerMisbehaviourException(
          "yamux: the remote opened stream "
              + Integer.toUnsignedString(streamId)
              + ", an id that is not its own or was used before");
    }
    return inbound < inboundMax && inboundUnacknowledged < ACK_BACKLOG_MAX;
  }

  void add(YamuxStream stream) {
    streams.put(stream.streamId(), stream);
    if (stream.outbound()) {
      outboundUnacknowledged++;
    } else {
      inbound++;
      inboundUnacknowledged++;
    }
  }

  /// The open stream of this id; null when it is closed.
  ///
  /// @throws PeerMisbehaviourException when there was never one
  @Nullable YamuxStream find(int streamId) {
    YamuxStream stream = streams.get(streamId);
    if (stream == null) {
      long id = Integer.toUnsignedLong(streamId);
      if (remoteIds.owns(id) ? !remoteIds.reached(id) : id >= nextId) {
        throw new PeerMisbehaviourException(
            "yamux: a frame for stream " + id + ", which was never opened");
      }
    }
    return stream;
  }

  /// The stream takes no more frames; false when it was removed before.
  boolean remove(YamuxStream stream) {
    if (streams.remove(stream.streamId()) == null) {
      return false;
    }
    acknowledge(stream);
    if (!stream.outbound()) {
      inbound--;
    }
    return true;
  }

  /// The stream's taker has said, or need not say any more, that it takes it; again is harmless.
  void acknowledge(YamuxStream stream) {
    if (stream.acknowledge()) {
      if (stream.outbound()) {
        outboundUnacknowledged--;
      } else {
        inboundUnacknowledged--;
      }
    }
  }

  List<YamuxStream> all() {
    return List.copyOf(streams.values());
  }
}
