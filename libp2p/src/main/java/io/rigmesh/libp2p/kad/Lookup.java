package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// One iterative search for the peers nearest to a point (the specification's "Peer routing"),
/// without the asking: [#next] says whom to ask, [#answered] and [#failed] bring what came back.
///
/// It ends when the nearest `required` peers of all that have been heard of, and do not fail, have
/// answered; or when nobody is left to ask; or when [Shape#queriesMax] have been asked.
///
/// **Crowds.** An attacker who makes thousands of ids around the point, all naming only each other,
/// would be all that a plain search finds. He has few IP groups, though, so only the first
/// [Shape#groupMax] peers that answer from one group are *regular*; further ones are a *crowd*. A
/// peer of whom only a crowd has told, or whose every address lies in a crowded group, is part of
/// it. The crowd is searched beside the rest, by the same rule and with places of its own: it costs
/// some questions, but takes no regular place; and a network whose honest peers share one group
/// still works. What proves a group is the connection, never what somebody says.
///
/// Not thread-safe.
final class Lookup {
  /// @param k how many peers the result holds
  /// @param alpha how many are asked at a time
  /// @param required how many of the nearest must have answered
  /// @param groupMax how many regular peers one IP group may have
  /// @param queriesMax after how many questions it gives up
  record Shape(int k, int alpha, int required, int groupMax, int queriesMax) {}

  private static final int CANDIDATES_MAX = 2_000;

  private enum State {
    HEARD,
    WAITING,
    ANSWERED,
    UNREACHABLE
  }

  private static final class Candidate {
    final PeerId peer;
    final KadKey key;
    final int hops;
    final Set<IpGroup> claimed = new HashSet<>(2);
    final List<Multiaddr> addresses = new ArrayList<>(2);
    State state = State.HEARD;
    // Whether an address without a group was named: such a peer's group is known only once asked.
    boolean elsewhere;
    boolean vouched;
    boolean crowd;
    // What came with an answer that nobody vouched for, until somebody does.
    @Nullable IpGroup group;
    List<PeerId> named = List.of();
    // Its addresses as somebody named them last: most name the same.
    @Nullable List<Multiaddr> said;

    Candidate(PeerId peer, KadKey key, int hops) {
      this.peer = peer;
      this.key = key;
      this.hops = hops;
    }

    void add(Multiaddr address) {
      if (addresses.size() < KadMessage.ADDRESSES_MAX && !addresses.contains(address)) {
        addresses.add(address);
        Optional<IpGroup> group = IpGroup.of(address);
        group.ifPresent(claimed::add);
        elsewhere |= group.isEmpty();
      }
    }
  }

  private final PeerId self;
  private final KadKey target;
  private final Shape shape;
  private final Map<PeerId, Candidate> known = new HashMap<>();
  // By distance, nearest first.
  private final List<Candidate> order = new ArrayList<>();
  private final Map<IpGroup, Integer> proven = new HashMap<>();
  private int waiting;
  private int asked;
  private boolean stopped;

  Lookup(PeerId self, KadKey target, Shape shape, List<PeerAddress> seeds) {
    this.self = self;
    this.target = target;
    this.shape = shape;
    for (PeerAddress seed : seeds) {
      hear(seed, UnaryOperator.identity(), 0, true);
    }
  }

  /// Whom to ask now; each is asked once and must come back in [#answered] or [#failed].
  List<PeerAddress> next() {
    List<PeerAddress> chosen = new ArrayList<>();
    int regular = 0;
    int crowd = 0;
    for (Candidate candidate : order) {
      if (stopped || waiting >= shape.alpha || asked >= shape.queriesMax) {
        break;
      }
      if (candidate.state == State.UNREACHABLE) {
        continue;
      }
      boolean apart = crowd(candidate);
      if (apart ? crowd >= shape.k : regular >= shape.k) {
        continue;
      }
      if (apart) {
        crowd++;
      } else {
        regular++;
      }
      if (candidate.state == State.HEARD) {
        candidate.state = State.WAITING;
        waiting++;
        asked++;
        chosen.add(new PeerAddress(candidate.peer, List.copyOf(candidate.addresses)));
      }
      if (regular >= shape.k && crowd >= shape.k) {
        break;
      }
    }
    return chosen;
  }

  /// Takes an answer.
  ///
  /// @param group the group of the address that the answer came from; null when it is no public one
  /// @param closer the peers that it named; those beyond `k` are dropped
  /// @param usable what of a named peer's addresses can be used; a peer without any is dropped
  /// @return whether the answer is regular, not one of a crowd
  boolean answered(
      PeerId from,
      @Nullable IpGroup group,
      List<PeerAddress> closer,
      UnaryOperator<PeerAddress> usable) {
    Candidate candidate = waiting(from);
    candidate.state = State.ANSWERED;
    candidate.group = group;
    candidate.crowd = true;
    List<PeerAddress> named = closer.subList(0, Math.min(shape.k, closer.size()));
    if (candidate.vouched) {
      candidate.crowd = overfull(candidate);
    } else {
      candidate.named = named.stream().map(PeerAddress::peer).toList();
    }
    for (PeerAddress peer : named) {
      hear(peer, usable, candidate.hops + 1, !candidate.crowd);
    }
    return !candidate.crowd;
  }

  /// Counts an answer in its group, if it has one.
  private boolean overfull(Candidate candidate) {
    return candidate.group != null
        && proven.merge(candidate.group, 1, Integer::sum) > shape.groupMax;
  }

  /// Takes the news that a peer did not answer.
  void failed(PeerId peer) {
    waiting(peer).state = State.UNREACHABLE;
  }

  /// Ends the search early, with what it has.
  void stop() {
    stopped = true;
  }

  boolean finished() {
    if (stopped) {
      return true;
    }
    if (asked >= shape.queriesMax) {
      return waiting == 0;
    }
    int regular = 0;
    int crowd = 0;
    for (Candidate candidate : order) {
      if (candidate.state == State.UNREACHABLE) {
        continue;
      }
      boolean apart = crowd(candidate);
      if ((apart ? crowd : regular) >= shape.required) {
        continue;
      }
      if (candidate.state != State.ANSWERED) {
        return false;
      }
      if (apart) {
        crowd++;
      } else {
        regular++;
      }
    }
    return true;
  }

  /// The nearest peers that answered, at most `k`, nearest first: regular ones, and where these are
  /// too few, a crowd's.
  List<PeerAddress> closest() {
    List<Candidate> chosen = new ArrayList<>();
    for (boolean crowd : new boolean[] {false, true}) {
      for (Candidate candidate : order) {
        if (chosen.size() < shape.k
            && candidate.state == State.ANSWERED
            && candidate.crowd == crowd) {
          chosen.add(candidate);
        }
      }
    }
    chosen.sort((left, right) -> target.compareDistance(left.key, right.key));
    return chosen.stream()
        .map(candidate -> new PeerAddress(candidate.peer, List.copyOf(candidate.addresses)))
        .toList();
  }

  /// Over how many peers one after the other this one was heard of; 0 for a seed.
  int hops(PeerId peer) {
    Candidate candidate = known.get(peer);
    if (candidate == null) {
      throw new IllegalArgumentException("The lookup has not heard of " + peer);
    }
    return candidate.hops;
  }

  /// How many peers were asked.
  int asked() {
    return asked;
  }

  private void hear(
      PeerAddress named, UnaryOperator<PeerAddress> usable, int hops, boolean vouched) {
    Candidate candidate = known.get(named.peer());
    if (candidate == null || !named.addresses().equals(candidate.said)) {
      if (named.peer().equals(self)) {
        return;
      }
      List<Multiaddr> addresses = usable.apply(named).addresses();
      if (candidate == null) {
        candidate = new Candidate(named.peer(), KadKey.of(named.peer()), hops);
        if ((addresses.isEmpty() && hops > 0) || !insert(candidate)) {
          return;
        }
      }
      candidate.said = named.addresses();
      addresses.forEach(candidate::add);
    }
    if (vouched) {
      vouch(candidate);
    }
  }

  /// A crowd cannot taint a peer by being the first to name it: once a regular peer names it too,
  /// it is regular, and vouches in its turn for those that it has named.
  private void vouch(Candidate first) {
    ArrayDeque<Candidate> vouched = new ArrayDeque<>();
    vouched.add(first);
    while (!vouched.isEmpty()) {
      Candidate candidate = vouched.remove();
      if (candidate.vouched) {
        continue;
      }
      candidate.vouched = true;
      if (candidate.state == State.ANSWERED) {
        candidate.crowd = overfull(candidate);
        if (!candidate.crowd) {
          for (PeerId peer : candidate.named) {
            Candidate next = known.get(peer);
            if (next != null) {
              vouched.add(next);
            }
          }
        }
        candidate.named = List.of();
      }
    }
  }

  private boolean insert(Candidate candidate) {
    int from = 0;
    int to = order.size();
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (target.compareDistance(order.get(middle).key, candidate.key) < 0) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    if (order.size() >= CANDIDATES_MAX) {
      int furthest = order.size() - 1;
      while (furthest >= from && order.get(furthest).state != State.HEARD) {
        furthest--;
      }
      if (furthest < from) {
        return false;
      }
      known.remove(order.remove(furthest).peer);
    }
    order.add(from, candidate);
    known.put(candidate.peer, candidate);
    return true;
  }

  private boolean crowd(Candidate candidate) {
    if (candidate.state == State.ANSWERED) {
      return candidate.crowd;
    }
    if (!candidate.vouched) {
      return true;
    }
    if (candidate.elsewhere || candidate.claimed.isEmpty()) {
      return false;
    }
    for (IpGroup group : candidate.claimed) {
      if (proven.getOrDefault(group, 0) < shape.groupMax) {
        return false;
      }
    }
    return true;
  }

  private Candidate waiting(PeerId peer) {
    Candidate candidate = known.get(peer);
    if (candidate == null || candidate.state != State.WAITING) {
      throw new IllegalStateException("The lookup is not waiting for " + peer);
    }
    waiting--;
    return candidate;
  }
}
