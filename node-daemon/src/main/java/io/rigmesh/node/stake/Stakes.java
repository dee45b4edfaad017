package io.rigmesh.node.stake;

import io.rigmesh.ledger.Rounds;
import io.rigmesh.ledger.escrow.PeerKeys;
import io.rigmesh.ledger.escrow.RegistryClient;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.Service;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.network.offers.LiveOffers;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.TokenAmount;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// What the providers of live offers have at stake, read from the chain beside the work and told
/// from memory. A stake counts for an offer where its account bound the very peer that offers, and
/// that peer's key stands by it. Safe for use by several threads.
public final class Stakes implements Service {
  private static final Duration LOOK_EVERY = Duration.ofSeconds(5);

  /// A stake can be asked back at any time; it stays at risk until the unbonding time is over,
  /// which is days. Each reading is one or two requests to an endpoint that may be paid for.
  private static final Duration READ_AGAIN = Duration.ofMinutes(30);

  private static final Rounds.Words WORDS =
      new Rounds.Words(
          "the stakes of providers are not read, trying again", "reading stakes goes on");

  private final ChainLink chain;
  private final LiveOffers offers;
  private final PeerKeys keys;
  private final Clock clock;
  private final Map<Provider, Known> known = new ConcurrentHashMap<>();
  private @Nullable Rounds rounds;

  private record Provider(Address account, String peer) {
    static Provider of(Offer offer) {
      return new Provider(offer.account(), offer.peer());
    }
  }

  private record Known(TokenAmount stake, Instant at) {}

  /// The stakes behind offers.
  public Stakes(ChainLink chain, LiveOffers offers, PeerKeys keys, Clock clock) {
    this.chain = chain;
    this.offers = offers;
    this.keys = keys;
    this.clock = clock;
  }

  /// What stands behind an offer; empty where that was not read yet.
  public Optional<TokenAmount> of(Offer offer) {
    return Optional.ofNullable(known.get(Provider.of(offer))).map(Known::stake);
  }

  @Override
  public String name() {
    return "stakes";
  }

  @Override
  public void start() {
    Rounds made = Rounds.of("stakes", LOOK_EVERY, WORDS, this::look);
    rounds = made;
    made.start();
  }

  @Override
  public void stop() {
    Rounds running = rounds;
    if (running != null) {
      running.close();
    }
  }

  private void look() {
    if (chain.trouble().isPresent()) {
      return;
    }
    Set<Provider> live = new HashSet<>();
    for (Offer offer : offers.live()) {
      Provider provider = Provider.of(offer);
      live.add(provider);
      Known before = known.get(provider);
      Rounds running = rounds;
      if (running != null && running.isClosing()) {
        return;
      }
      if (before == null || before.at().plus(READ_AGAIN).isBefore(clock.instant())) {
        known.put(provider, new Known(read(provider), clock.instant()));
      }
    }
    known.keySet().retainAll(live);
  }

  private TokenAmount read(Provider provider) {
    RegistryClient registry = chain.require().registry();
    TokenAmount bonded = registry.stakeOf(provider.account()).bonded();
    if (bonded.equals(TokenAmount.ZERO)) {
      return bonded;
    }
    byte[] peer = PeerId.of(provider.peer()).bytes();
    boolean bound =
        registry
            .peerOf(provider.account(), keys)
            .map(found -> Arrays.equals(found, peer))
            .orElse(false);
    return bound ? bonded : TokenAmount.ZERO;
  }
}
