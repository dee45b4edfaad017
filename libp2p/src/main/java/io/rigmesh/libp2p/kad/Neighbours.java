package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/// Keeps the [RoutingTable] true: lets in who answers, checks who has been silent, and drops who
/// fails. Single-threaded.
final class Neighbours {
  private static final int CHECKS_MAX = 16;
  private static final int BROKEN_MAX = 2;

  // So many failures, with no answer between them, are the fault of our own connection: they must
  // not empty the table.
  private static final int OFFLINE_FAILURES = 2 * KademliaConfig.K;

  private final RoutingTable table;
  private final KadNetwork network;
  private final KadMessage check;
  private final Set<PeerId> checking = new HashSet<>();
  private int failuresInRow;

  Neighbours(PeerId self, KademliaConfig config, KadNetwork network) {
    this.network = network;
    this.table =
        new RoutingTable(
            KadKey.of(self),
            KademliaConfig.K,
            KademliaConfig.TABLE_GROUP_LIMITS,
            config.bootstrapInterval().toMillis());
    this.check = KadMessage.findNode(ByteString.copyFrom(self.bytes()));
  }

  RoutingTable table() {
    return table;
  }

  /// Takes in a peer that is connected and says that it serves the protocol.
  void seen(PeerId peer, Multiaddr from) {
    if (!table.contains(peer)) {
      offer(peer, from);
    }
  }

  /// Notes a peer's answer to any question, which makes it worth a place.
  void answered(PeerId peer, Multiaddr from) {
    failuresInRow = 0;
    offer(peer, from);
  }

  /// Into a full bucket it comes in the place of a peer that has been silent and fails a check.
  private void offer(PeerId peer, Multiaddr from) {
    IpGroup group = IpGroup.of(from).orElse(null);
    if (table.add(peer, group, network.now()) instanceof RoutingTable.Admission.Full full) {
      full.suspect()
          .ifPresent(suspect ->
              check(
                  suspect,
                  outcome -> {
                    if (isFailure(outcome) && !offline()) {
                      table.remove(suspect);
                      table.add(peer, group, network.now());
                    }
                  }));
    }
  }

  /// Notes that a peer did not answer.
  void failed(PeerId peer, KadNetwork.Outcome outcome) {
    int failures = table.failed(peer);
    switch (outcome) {
      case KadNetwork.Outcome.Unreachable unreachable -> {
        failuresInRow++;
        if (!offline()) {
          table.remove(peer);
        }
      }
      case KadNetwork.Outcome.Broken broken -> {
        failuresInRow++;
        if (failures >= BROKEN_MAX && !offline()) {
          table.remove(peer);
        }
      }
      case KadNetwork.Outcome.Answered answered -> {}
      case KadNetwork.Outcome.NotAsked notAsked -> {}
    }
  }

  /// Checks those of whom nothing was heard for a while, some at a time, until none is left.
  void checkSilent(long silenceMillis) {
    checkSilentSince(network.now() - silenceMillis);
  }

  private void checkSilentSince(long moment) {
    int free = CHECKS_MAX - checking.size();
    if (free <= 0 || offline()) {
      return;
    }
    for (PeerId silent : table.takeSilentSince(moment, free)) {
      check(
          silent,
          outcome -> {
            if (!(outcome instanceof KadNetwork.Outcome.NotAsked)) {
              checkSilentSince(moment);
            }
          });
    }
  }

  private boolean offline() {
    return failuresInRow > OFFLINE_FAILURES;
  }

  private static boolean isFailure(KadNetwork.Outcome outcome) {
    return outcome instanceof KadNetwork.Outcome.Unreachable
        || outcome instanceof KadNetwork.Outcome.Broken;
  }

  private void check(PeerId peer, Consumer<KadNetwork.Outcome> done) {
    if (checking.size() >= CHECKS_MAX || !checking.add(peer)) {
      table.release(peer);
      return;
    }
    network.ask(
        new PeerAddress(peer, network.addresses(peer)),
        List.of(check),
        outcome -> {
          checking.remove(peer);
          if (outcome instanceof KadNetwork.Outcome.Answered answer) {
            answered(peer, answer.from());
          } else {
            table.release(peer);
            failed(peer, outcome);
          }
          done.accept(outcome);
        });
  }
}
