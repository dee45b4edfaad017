package io.rigmesh.libp2p.relay;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import java.time.Instant;

/// What a fuzzer may feed relays and their clients.
public final class RelayFuzz {
  private static final Ed25519PrivateKey KEY = Ed25519PrivateKey.ofSeed(new byte[32]);
  private static final PeerId PEER = PeerId.of(KEY.publicKey());

  private RelayFuzz() {}

  /// A relay's answer to a reservation.
  public static byte[] seed() {
    return RelayMessages.hopStatus(RelayWire.Status.OK).toBuilder()
        .setPeer(RelayMessages.peer(PEER))
        .setLimit(RelayMessages.limit(RelayLimits.defaults()))
        .setReservation(
            RelayWire.Reservation.newBuilder()
                .setExpire(1)
                .addAddrs(ByteString.copyFrom(Multiaddr.of("/ip4/1.2.3.4/tcp/5").bytes()))
                .setVoucher(
                    ByteString.copyFrom(
                        new Voucher(PEER, PEER, Instant.ofEpochSecond(1)).seal(KEY).bytes())))
        .build()
        .toByteArray();
  }

  /// Reads a message of either protocol, and all that is in it.
  public static void message(byte[] bytes) {
    try {
      RelayWire.HopMessage hop = RelayMessages.hop(bytes);
      RelayMessages.limits(hop.getLimit());
      RelayMessages.addresses(hop.getReservation().getAddrsList());
      RelayMessages.peerId("fuzz", hop.getPeer());
      Voucher.open(hop.getReservation().getVoucher().toByteArray(), PEER, PEER);
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
    try {
      RelayMessages.peerId("fuzz", RelayMessages.stop(bytes).getPeer());
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
  }
}
