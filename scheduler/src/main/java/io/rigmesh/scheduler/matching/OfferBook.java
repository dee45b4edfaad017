package io.rigmesh.scheduler.matching;

import io.rigmesh.protocol.Offer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The newest offer of every provider that is known. Bounded in providers and in how often each may
/// change its mind; what has expired leaves by itself. Whoever hands an offer in has checked its
/// signatures. Not thread-safe; time is handed in.
public final class OfferBook {
  /// The furthest that an offer's end may lie ahead.
  public static final long VALID_SECONDS_MAX = 3_600;

  /// How far clocks may differ.
  public static final long SKEW_SECONDS = 60;

  /// How many offers of one provider may follow each other at once.
  static final int BURST = 8;

  /// How long after it a provider may make one more.
  static final long SECONDS_PER_OFFER = 10;

  private final int providersMax;
  private final Map<String, Entry> byPeer = new HashMap<>();

  /// A book of at most so many providers.
  public OfferBook(int providersMax) {
    this.providersMax = providersMax;
  }

  /// What became of an offer that was handed in.
  public enum Outcome {
    /// It is the newest of its provider.
    TAKEN,
    /// Its end has passed.
    EXPIRED,
    /// Its end lies further ahead than [#VALID_SECONDS_MAX] allows.
    ENDS_TOO_LATE,
    /// Its sequence is not above that of the offer that is known.
    STALE,
    /// Its provider changes its mind too often.
    TOO_OFTEN,
    /// The book is full.
    FULL
  }

  /// An offer with the bytes in which it travels.
  private static final class Entry {
    private Offer offer;
    private byte[] sealed;
    // Kept also when a later offer ends sooner, so that an older one cannot be replayed until then.
    private long keptUntilSeconds;
    private double tokens = BURST;
    private long tokensAtSeconds;

    Entry(Offer offer, byte[] sealed, long nowSeconds) {
      this.offer = offer;
      this.sealed = sealed;
      this.tokensAtSeconds = nowSeconds;
    }

    boolean isLive(long nowSeconds) {
      return !offer.isWithdrawal() && offer.validUntilSeconds() > nowSeconds;
    }

    boolean takeToken(long nowSeconds) {
      double gained = (double) Math.max(0, nowSeconds - tokensAtSeconds) / SECONDS_PER_OFFER;
      tokens = Math.min(BURST, tokens + gained);
      tokensAtSeconds = Math.max(tokensAtSeconds, nowSeconds);
      if (tokens < 1) {
        return false;
      }
      tokens--;
      return true;
    }
  }

  /// Takes an offer in, if it is the newest of its provider.
  ///
  /// @param sealed the bytes in which it travels
  public Outcome take(Offer offer, byte[] sealed, long nowSeconds) {
    if (offer.validUntilSeconds() <= nowSeconds - SKEW_SECONDS) {
      return Outcome.EXPIRED;
    }
    if (offer.validUntilSeconds() > nowSeconds + VALID_SECONDS_MAX + SKEW_SECONDS) {
      return Outcome.ENDS_TOO_LATE;
    }
    Entry known = byPeer.get(offer.peer());
    if (known != null && Long.compareUnsigned(offer.sequence(), known.offer.sequence()) <= 0) {
      return Outcome.STALE;
    }
    if (known == null) {
      if (byPeer.size() >= providersMax) {
        expire(nowSeconds);
      }
      if (byPeer.size() >= providersMax) {
        return Outcome.FULL;
      }
      known = new Entry(offer, sealed.clone(), nowSeconds);
    }
    if (!known.takeToken(nowSeconds)) {
      return Outcome.TOO_OFTEN;
    }
    known.offer = offer;
    known.sealed = sealed.clone();
    known.keptUntilSeconds =
        Math.max(known.keptUntilSeconds, offer.validUntilSeconds() + SKEW_SECONDS);
    byPeer.put(offer.peer(), known);
    return Outcome.TAKEN;
  }

  /// Forgets what has expired and can no longer be replayed.
  public void expire(long nowSeconds) {
    Iterator<Entry> entries = byPeer.values().iterator();
    while (entries.hasNext()) {
      if (entries.next().keptUntilSeconds <= nowSeconds) {
        entries.remove();
      }
    }
  }

  /// The offers that hold now, by peer.
  public List<Offer> live(long nowSeconds) {
    return byPeer.values().stream()
        .filter(e -> e.isLive(nowSeconds))
        .map(e -> e.offer)
        .sorted(Comparator.comparing(Offer::peer))
        .toList();
  }

  /// A provider's offer, if it holds now.
  public Optional<Offer> find(String peer, long nowSeconds) {
    return Optional.ofNullable(byPeer.get(peer))
        .filter(e -> e.isLive(nowSeconds))
        .map(e -> e.offer);
  }

  /// The bytes of offers that hold now, those that hold longest first.
  public List<byte[]> sealed(int countMax, long nowSeconds) {
    List<Entry> entries =
        new ArrayList<>(byPeer.values().stream().filter(e -> e.isLive(nowSeconds)).toList());
    entries.sort(
        Comparator.comparingLong((Entry e) -> e.offer.validUntilSeconds())
            .reversed()
            .thenComparing(e -> e.offer.peer()));
    return entries.stream().limit(countMax).map(e -> e.sealed.clone()).toList();
  }

  /// How many providers are in the book, whether or not their offers hold.
  public int size() {
    return byPeer.size();
  }
}
