package io.rigmesh.libp2p.gossip;

/// What other peers may make this host hold.
///
/// @param messageBytesMax a message's data; larger ones count as invalid. Must be the same on all
///   peers of a topic
/// @param peerTopicsMax topics remembered of one peer; further ones are not remembered
/// @param outgoingBytesMax queued for one peer that reads slowly, before gossip, then forwarded
///   messages, then own messages are dropped
/// @param incomingMessagesMax messages of one peer waiting for their check, before its stream is
///   read no further
/// @param cacheBytesMax recent messages kept for peers that ask for them, of all topics
/// @param seenMax message ids remembered so that no message is delivered twice
/// @param deliveryMessagesMax messages waiting for one slow subscriber, before new ones are dropped
public record GossipLimits(
    int messageBytesMax,
    int peerTopicsMax,
    int outgoingBytesMax,
    int incomingMessagesMax,
    long cacheBytesMax,
    int seenMax,
    int deliveryMessagesMax) {

  /// The largest [#messageBytesMax]: a message with its frame must fit an RPC of 1 MiB.
  public static final int MESSAGE_BYTES_MAX =
      RpcCodec.BYTES_MAX - RpcCodec.MESSAGE_OVERHEAD_BYTES_MAX;

  public GossipLimits {
    Checks.within("messageBytesMax", messageBytesMax, 1, MESSAGE_BYTES_MAX);
    Checks.within("peerTopicsMax", peerTopicsMax, 1, 65_536);
    Checks.within("outgoingBytesMax", outgoingBytesMax, RpcCodec.BYTES_MAX, Integer.MAX_VALUE);
    Checks.within("incomingMessagesMax", incomingMessagesMax, 1, 65_536);
    Checks.within("cacheBytesMax", cacheBytesMax, RpcCodec.BYTES_MAX, Long.MAX_VALUE);
    Checks.within("seenMax", seenMax, 1024, Integer.MAX_VALUE);
    Checks.within("deliveryMessagesMax", deliveryMessagesMax, 1, 1_000_000);
  }

  /// Messages up to nearly 1 MiB, 128 topics a peer, 4 MiB to send to each, 64 MiB of cache.
  public static GossipLimits defaults() {
    return new GossipLimits(
        MESSAGE_BYTES_MAX, 128, 4 * 1024 * 1024, 64, 64L * 1024 * 1024, 131_072, 1024);
  }
}
