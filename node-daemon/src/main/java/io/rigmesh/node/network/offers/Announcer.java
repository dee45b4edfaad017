package io.rigmesh.node.network.offers;

import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.node.Service;
import io.rigmesh.node.network.TokenBucket;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.TokenAmount;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes this node's offer: anew before it expires and when what it says changes, and a last one
/// that takes it back when the node stops or can compute no more.
public final class Announcer implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);
  private static final Duration LOOK_EVERY = Duration.ofMillis(500);
  private static final Duration FAREWELL_MAX = Duration.ofSeconds(5);

  /// Neighbours hear a provider no more often than that; see [io.rigmesh.scheduler.matching].
  private static final double CHANGES_PER_SECOND = 1.0 / 15;

  private static final double CHANGES_BURST = 5;

  /// A speed that moved by less says nothing new.
  private static final double SPEED_STEP = 0.25;

  private final Terms terms;
  private final OfferExchange exchange;
  private final JobStore store;
  private final AccountKey account;
  private final PrivateKey peerKey;
  private final Domain domain;
  private final int validSeconds;
  private final Clock clock;
  private final TokenBucket changes =
      new TokenBucket(CHANGES_PER_SECOND, CHANGES_BURST, System::nanoTime);
  private @Nullable Thread thread;
  private @Nullable Offer last;

  /// What a node offers now.
  @FunctionalInterface
  public interface Terms {
    /// The offer but for its end and sequence, which are zero; empty while nothing is offered.
    Optional<Offer> now();
  }

  /// The announcer of a node.
  ///
  /// @param terms what it offers
  public Announcer(
      Terms terms,
      OfferExchange exchange,
      JobStore store,
      AccountKey account,
      PrivateKey peerKey,
      Domain domain,
      int validSeconds,
      Clock clock) {
    this.terms = terms;
    this.exchange = exchange;
    this.store = store;
    this.account = account;
    this.peerKey = peerKey;
    this.domain = domain;
    this.validSeconds = validSeconds;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "offers";
  }

  @Override
  public void start() {
    thread = Thread.ofVirtual().name("offers").start(this::run);
  }

  private void run() {
    try {
      while (true) {
        try {
          look();
        } catch (RuntimeException e) {
          LOG.error("the offer cannot be made: {}", e.getMessage(), e);
        }
        Thread.sleep(LOOK_EVERY);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void look() {
    Optional<Offer> now = terms.now();
    Offer before = last;
    if (now.isEmpty()) {
      if (before != null) {
        withdraw(before);
      }
      return;
    }
    long seconds = clock.instant().getEpochSecond();
    boolean old = before == null || before.validUntilSeconds() - seconds < validSeconds * 2L / 3;
    boolean changed = before != null && !says(before, now.get());
    if (old || (changed && changes.tryTake())) {
      Offer next = stamped(now.get(), seconds + validSeconds);
      publish(next);
      last = next;
      LOG.info(
          "offer {}: {} devices, {} entries, until {}",
          next.sequence(),
          next.devices().size(),
          next.models().size(),
          java.time.Instant.ofEpochSecond(next.validUntilSeconds()));
    }
  }

  /// Whether an offer says what another does, but for its end, its sequence, and small changes of
  /// speed.
  private static boolean says(Offer before, Offer now) {
    return before.addresses().equals(now.addresses())
        && before.models().equals(now.models())
        && before.priceMinimum().equals(now.priceMinimum())
        && before.region().equals(now.region())
        && before.devices().size() == now.devices().size()
        && java.util.stream.IntStream.range(0, now.devices().size())
            .allMatch(i -> says(before.devices().get(i), now.devices().get(i)));
  }

  private static boolean says(Offer.Device before, Offer.Device now) {
    double change = Math.abs((double) now.megaflopsPerSecond() - before.megaflopsPerSecond());
    return before.name().equals(now.name())
        && before.memoryBytes() == now.memoryBytes()
        && before.profile() == now.profile()
        && before.megabytesPerSecond() == now.megabytesPerSecond()
        && change <= SPEED_STEP * Math.max(before.megaflopsPerSecond(), 1);
  }

  private Offer stamped(Offer offer, long validUntilSeconds) {
    // Not below the clock, so that a node whose store was lost is heard all the same.
    long sequence = store.nextOfferSequence(clock.instant().getEpochSecond());
    return new Offer(
        offer.peer(),
        offer.addresses(),
        offer.account(),
        offer.devices(),
        offer.models(),
        offer.priceMinimum(),
        offer.region(),
        validUntilSeconds,
        sequence);
  }

  private void withdraw(Offer before) {
    Offer nothing =
        new Offer(
            before.peer(),
            List.of(),
            before.account(),
            List.of(),
            List.of(),
            TokenAmount.ZERO,
            "",
            0,
            0);
    // It must be remembered for as long as the offer that it takes back would have held.
    publish(stamped(nothing, before.validUntilSeconds()));
    last = null;
    LOG.info("the offer is withdrawn");
  }

  private void publish(Offer offer) {
    try {
      int peers =
          exchange
              .publish(SealedOffer.seal(offer.sign(account, domain), domain, peerKey))
              .get(FAREWELL_MAX.toSeconds(), TimeUnit.SECONDS);
      LOG.debug("offer {} went to {} peers", offer.sequence(), peers);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("offer {} did not get out: {}", offer.sequence(), e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running == null) {
      return;
    }
    running.interrupt();
    thread = null;
    synchronized (this) {
      Offer before = last;
      if (before != null) {
        withdraw(before);
      }
    }
  }
}
