package io.rigmesh.node.network;

/// Numbers of the network for metrics.
///
/// @param peers peers that are connected
/// @param inboundConnections connections that others have opened
/// @param outboundConnections connections that this node has opened
/// @param inboundStreams streams that others have opened
/// @param outboundStreams streams that this node has opened
/// @param bufferedBytes what the network holds in memory, as it is counted against its limits
/// @param offers offers that hold now
/// @param blobBytesSent bytes of blobs handed out since the daemon started
/// @param blobBytesReceived bytes of blobs fetched since the daemon started
/// @param blames how often peers were caught breaking a rule since the daemon started
public record NetworkStats(
    int peers,
    int inboundConnections,
    int outboundConnections,
    int inboundStreams,
    int outboundStreams,
    long bufferedBytes,
    int offers,
    long blobBytesSent,
    long blobBytesReceived,
    long blames) {
  /// Before the network is there.
  public static final NetworkStats NONE = new NetworkStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
