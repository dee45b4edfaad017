package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Connects to peers that a PRUNE offered and to those with an explicit agreement. Thread-safe.
final class PeerExchange {
  private static final Logger LOG = LoggerFactory.getLogger(PeerExchange.class);

  /// Dials at one time; further offers are dropped, as the next PRUNE brings others.
  private static final int DIALS_MAX = 8;

  private static final long DIAL_SECONDS = 30;
  private static final Duration RECORD_TIME_TO_LIVE = Duration.ofMinutes(10);

  private final Host host;
  private final Map<PeerId, PeerAddress> direct;
  private final Semaphore dials = new Semaphore(DIALS_MAX);

  PeerExchange(Host host, List<PeerAddress> direct) {
    this.host = host;
    this.direct =
        direct.stream()
            .collect(Collectors.toMap(PeerAddress::peer, Function.identity(), (a, b) -> a));
  }

  /// Connects unless the peer is connected or too many dials run; returns at once.
  void connect(Action.Connect offer) {
    if (offer.peer().equals(host.id())
        || !host.connections(offer.peer()).isEmpty()
        || !dials.tryAcquire()) {
      return;
    }
    Thread.ofVirtual()
        .name("gossip-exchange")
        .start(() -> {
          try {
            dial(offer);
          } finally {
            dials.release();
          }
        });
  }

  private void dial(Action.Connect offer) {
    List<Multiaddr> addresses = new ArrayList<>();
    PeerAddress agreed = direct.get(offer.peer());
    if (agreed != null) {
      addresses.addAll(agreed.addresses());
    }
    try {
      addresses.addAll(offered(offer.peer(), offer.record()));
      if (addresses.isEmpty() && host.peerStore().addresses(offer.peer()).isEmpty()) {
        return;
      }
      host.connect(new PeerAddress(offer.peer(), addresses))
          .orTimeout(DIAL_SECONDS, TimeUnit.SECONDS)
          .join();
    } catch (CompletionException | Libp2pException e) {
      LOG.debug("Did not connect to {}, which was offered: {}", offer.peer(), e.getMessage());
    }
  }

  /// The addresses in a signed record, which is remembered for a while.
  private List<Multiaddr> offered(PeerId peer, ByteString record) {
    if (record.isEmpty()) {
      return List.of();
    }
    SignedEnvelope envelope = PeerRecord.open(record.toByteArray());
    PeerRecord opened = PeerRecord.of(envelope);
    if (!opened.peer().equals(peer)) {
      throw new PeerMisbehaviourException(
          "The record offered for " + peer + " is that of " + opened.peer());
    }
    host.peerStore().addSignedRecord(envelope, RECORD_TIME_TO_LIVE);
    return opened.addresses();
  }
}
