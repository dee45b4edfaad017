package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.libp2p.multiformats.Varint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Turns RPCs into bytes and back. What comes from outside is counted before it is parsed.
final class RpcCodec {
  /// The longest RPC, without its length (the limit of every implementation).
  static final int BYTES_MAX = 1024 * 1024;

  /// Room in an RPC for what surrounds a message's data: ids, topic, signature, an RSA key.
  static final int MESSAGE_OVERHEAD_BYTES_MAX = 4096;

  static final int SUBSCRIPTIONS_MAX = 5000;
  static final int MESSAGES_MAX = 8192;
  static final int CONTROLS_MAX = 1024;
  static final int IDS_MAX = 10_000;
  static final int OFFERED_MAX = 256;

  /// A backoff that a peer asks for counts at most so long: it is kept for as long.
  static final Duration BACKOFF_MAX = Duration.ofHours(1);

  private static final String PROTOCOL = "/meshsub";

  /// All fields of an RPC together. A message has seven, an id one.
  private static final int FIELDS_TOTAL_MAX = 8 * MESSAGES_MAX + 3 * IDS_MAX;

  /// Field 2 with a length.
  private static final byte[] PUBLISH_TAG = {0x12};

  private static final ProtobufBounds MESSAGE = ProtobufBounds.fields(16);
  private static final ProtobufBounds NAMED = ProtobufBounds.fields(8);
  private static final ProtobufBounds IDS = ProtobufBounds.fields(IDS_MAX + 8);
  private static final ProtobufBounds PRUNE =
      ProtobufBounds.fields(OFFERED_MAX + 8).nested(2, OFFERED_MAX, NAMED);
  private static final ProtobufBounds CONTROL =
      ProtobufBounds.fields(5 * CONTROLS_MAX)
          .nested(1, CONTROLS_MAX, IDS)
          .nested(2, CONTROLS_MAX, IDS)
          .nested(3, CONTROLS_MAX, NAMED)
          .nested(4, CONTROLS_MAX, PRUNE)
          .nested(5, CONTROLS_MAX, IDS);
  private static final ProtobufBounds RPC =
      ProtobufBounds.fields(SUBSCRIPTIONS_MAX + MESSAGES_MAX + 16)
          .nested(1, SUBSCRIPTIONS_MAX, NAMED)
          .nested(2, MESSAGES_MAX, MESSAGE)
          .nested(3, 1, CONTROL);

  private RpcCodec() {}

  /// Reads an RPC from a peer.
  ///
  /// @throws PeerMisbehaviourException when it is malformed or holds too much; a message that
  ///   breaks a rule of its own is a [Rpc.Fault] instead, since it counts against its topic
  static Rpc decode(byte[] bytes, int dataBytesMax) {
    if (bytes.length > BYTES_MAX) {
      throw broken("an RPC of " + bytes.length + " bytes is over " + BYTES_MAX);
    }
    GossipWire.Rpc wire;
    try {
      wire = GossipWire.Rpc.parseFrom(RPC.check(PROTOCOL, bytes, FIELDS_TOTAL_MAX));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(
          PROTOCOL + ": an RPC is not protobuf: " + e.getMessage(), e);
    }
    Rpc.Builder rpc = Rpc.builder();
    for (GossipWire.Subscription subscription : wire.getSubscriptionsList()) {
      rpc.subscriptions.add(
          new Rpc.Subscription(topic(subscription.getTopicBytes()), subscription.getSubscribe()));
    }
    for (GossipWire.Message message : wire.getPublishList()) {
      try {
        rpc.messages.add(Message.of(message, dataBytesMax));
      } catch (IllegalArgumentException e) {
        String topic = TopicName.isValid(message.getTopicBytes()) ? message.getTopic() : "";
        rpc.faults.add(new Rpc.Fault(topic, String.valueOf(e.getMessage())));
      }
    }
    control(wire.getControl(), rpc);
    return rpc.build();
  }

  private static void control(GossipWire.Control control, Rpc.Builder rpc) {
    int ids = 0;
    for (GossipWire.IHave have : control.getIhaveList()) {
      ids += have.getMessageIdsCount();
      rpc.haves.add(new Rpc.Have(topic(have.getTopicBytes()), ids(have.getMessageIdsList(), ids)));
    }
    for (GossipWire.IWant want : control.getIwantList()) {
      rpc.wanted.addAll(
          ids(want.getMessageIdsList(), rpc.wanted.size() + want.getMessageIdsCount()));
    }
    for (GossipWire.Graft graft : control.getGraftList()) {
      rpc.grafts.add(topic(graft.getTopicBytes()));
    }
    int offered = 0;
    for (GossipWire.Prune prune : control.getPruneList()) {
      offered += prune.getPeersCount();
      if (offered > OFFERED_MAX) {
        throw broken("an RPC offers over " + OFFERED_MAX + " peers");
      }
      rpc.prunes.add(prune(prune));
    }
    for (GossipWire.IDontWant unwanted : control.getIdontwantList()) {
      rpc.unwanted.addAll(
          ids(unwanted.getMessageIdsList(), rpc.unwanted.size() + unwanted.getMessageIdsCount()));
    }
  }

  private static Rpc.Prune prune(GossipWire.Prune prune) {
    List<Rpc.Offered> peers = new ArrayList<>();
    for (GossipWire.PeerInfo info : prune.getPeersList()) {
      if (info.getSignedPeerRecord().size() > SignedEnvelope.BYTES_MAX) {
        throw broken("a PRUNE holds a peer record over " + SignedEnvelope.BYTES_MAX + " bytes");
      }
      try {
        peers.add(
            new Rpc.Offered(PeerId.of(info.getPeerId().toByteArray()), info.getSignedPeerRecord()));
      } catch (IllegalArgumentException e) {
        throw new PeerMisbehaviourException(
            PROTOCOL + ": a PRUNE offers a peer that cannot be: " + e.getMessage(), e);
      }
    }
    Optional<Duration> backoff =
        prune.hasBackoff()
            ? Optional.of(
                Duration.ofSeconds(
                    Long.compareUnsigned(prune.getBackoff(), BACKOFF_MAX.toSeconds()) > 0
                        ? BACKOFF_MAX.toSeconds()
                        : prune.getBackoff()))
            : Optional.empty();
    return new Rpc.Prune(topic(prune.getTopicBytes()), peers, backoff);
  }

  private static List<MessageId> ids(List<ByteString> ids, int total) {
    if (total > IDS_MAX) {
      throw broken("a control message's ids are over " + IDS_MAX);
    }
    List<MessageId> out = new ArrayList<>(ids.size());
    for (ByteString id : ids) {
      if (id.isEmpty() || id.size() > MessageId.BYTES_MAX) {
        throw broken(
            "a message id of " + id.size() + " bytes is not from 1 to " + MessageId.BYTES_MAX);
      }
      out.add(new MessageId(id));
    }
    return out;
  }

  private static String topic(ByteString name) {
    if (!TopicName.isValid(name)) {
      throw broken("a topic's name is not 1 to " + TopicName.BYTES_MAX + " bytes of UTF-8");
    }
    return name.toStringUtf8();
  }

  private static PeerMisbehaviourException broken(String what) {
    return new PeerMisbehaviourException(PROTOCOL + ": " + what);
  }

  /// An RPC's bytes with their length before them. A lone message, the common case, is not copied.
  static ByteBuf frame(Rpc rpc) {
    if (rpc.isOneMessage()) {
      ByteString message = rpc.messages().getFirst().wire();
      byte[] length = Varint.encode(message.size());
      byte[] frame = Varint.encode(1 + length.length + message.size());
      return Unpooled.wrappedBuffer(
          Unpooled.wrappedBuffer(frame, PUBLISH_TAG, length),
          Unpooled.wrappedBuffer(message.asReadOnlyByteBuffer()));
    }
    byte[] bytes = encode(rpc);
    return Unpooled.wrappedBuffer(Varint.encode(bytes.length), bytes);
  }

  /// An RPC's bytes, without their length.
  static byte[] encode(Rpc rpc) {
    GossipWire.Rpc.Builder wire = GossipWire.Rpc.newBuilder();
    for (Rpc.Subscription subscription : rpc.subscriptions()) {
      wire.addSubscriptions(
          GossipWire.Subscription.newBuilder()
              .setSubscribe(subscription.subscribe())
              .setTopic(subscription.topic()));
    }
    rpc.messages().forEach(message -> wire.addPublish(message.view()));
    GossipWire.Control.Builder control = GossipWire.Control.newBuilder();
    for (Rpc.Have have : rpc.haves()) {
      control.addIhave(
          GossipWire.IHave.newBuilder().setTopic(have.topic()).addAllMessageIds(bytes(have.ids())));
    }
    if (!rpc.wanted().isEmpty()) {
      control.addIwant(GossipWire.IWant.newBuilder().addAllMessageIds(bytes(rpc.wanted())));
    }
    for (String topic : rpc.grafts()) {
      control.addGraft(GossipWire.Graft.newBuilder().setTopic(topic));
    }
    for (Rpc.Prune prune : rpc.prunes()) {
      control.addPrune(encode(prune));
    }
    if (!rpc.unwanted().isEmpty()) {
      control.addIdontwant(
          GossipWire.IDontWant.newBuilder().addAllMessageIds(bytes(rpc.unwanted())));
    }
    GossipWire.Control built = control.build();
    if (built.getSerializedSize() > 0) {
      wire.setControl(built);
    }
    return wire.build().toByteArray();
  }

  private static GossipWire.Prune encode(Rpc.Prune prune) {
    GossipWire.Prune.Builder out = GossipWire.Prune.newBuilder().setTopic(prune.topic());
    for (Rpc.Offered offered : prune.peers()) {
      GossipWire.PeerInfo.Builder info =
          GossipWire.PeerInfo.newBuilder().setPeerId(ByteString.copyFrom(offered.peer().bytes()));
      if (!offered.record().isEmpty()) {
        info.setSignedPeerRecord(offered.record());
      }
      out.addPeers(info);
    }
    prune.backoff().ifPresent(backoff -> out.setBackoff(backoff.toSeconds()));
    return out.build();
  }

  private static List<ByteString> bytes(List<MessageId> ids) {
    return ids.stream().map(MessageId::bytes).toList();
  }
}
