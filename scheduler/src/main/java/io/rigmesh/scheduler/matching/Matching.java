package io.rigmesh.scheduler.matching;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Chooses among offers: those that can compute a job within its limit, the cheapest first, then
/// those that have the model, then the fastest, then by peer id, so that equal offers always stand
/// in one order.
public final class Matching {
  private static final Comparator<Candidate> BEST_FIRST =
      Comparator.comparing(Candidate::quote)
          .thenComparing(Candidate::hasModel, Comparator.reverseOrder())
          .thenComparing(Candidate::megaflopsPerSecond, Comparator.reverseOrder())
          .thenComparing(c -> c.offer().peer());

  private Matching() {}

  /// Ranks the offers that fit.
  ///
  /// @param offers offers that hold now
  public static Match rank(List<Offer> offers, Wish wish) {
    List<Offer> eligible =
        offers.stream()
            .filter(o -> !o.account().equals(wish.requester()))
            .filter(o -> !wish.excluded().contains(o.peer()))
            .filter(o -> wish.provider().map(o.peer()::equals).orElse(true))
            .toList();
    if (eligible.isEmpty()) {
      return none(
          RefusalCode.UNAVAILABLE,
          wish.provider()
              .map(p -> "no offer of the provider " + p + " is known here")
              .orElse(
                  wish.excluded().isEmpty()
                      ? "no provider's offer is known here; does `rigmesh peers` show any peer?"
                      : "no further provider's offer is known here"));
    }
    JobKind kind = wish.task().kind();
    List<Offer> able =
        eligible.stream()
            .filter(o -> o.models().stream().anyMatch(m -> m.kind() == kind))
            .filter(o -> o.devices().stream().anyMatch(d -> d.profile() == wish.profile()))
            .toList();
    if (able.isEmpty()) {
      return none(
          RefusalCode.UNSUPPORTED,
          "none of "
              + eligible.size()
              + " providers computes "
              + kind.id()
              + " jobs of profile "
              + wish.profile());
    }
    List<Offer> stocked = able.stream().filter(o -> rate(o, wish).isPresent()).toList();
    if (stocked.isEmpty()) {
      return none(
          RefusalCode.UNKNOWN_MODEL,
          "the model "
              + wish.model()
              + " is neither here nor at any of "
              + able.size()
              + " providers; upload its folder first");
    }
    List<Offer> roomy = stocked.stream().filter(o -> speed(o, wish).isPresent()).toList();
    if (roomy.isEmpty()) {
      return none(
          RefusalCode.OUT_OF_MEMORY,
          "it needs about "
              + ((wish.memoryBytes().orElse(0) >> 20) + 1)
              + " MiB, and no device of "
              + stocked.size()
              + " providers has so much; a smaller batch, context or model would fit");
    }
    List<Candidate> priced = new ArrayList<>();
    roomy.forEach(o -> candidate(o, wish).ifPresent(priced::add));
    priced.sort(BEST_FIRST);
    List<Candidate> within =
        priced.stream()
            .filter(c -> wish.priceMax().map(max -> c.quote().compareTo(max) <= 0).orElse(true))
            .toList();
    if (within.isEmpty()) {
      return none(
          RefusalCode.PRICE_TOO_LOW,
          priced.isEmpty()
              ? "no price of " + roomy.size() + " providers can be paid"
              : "the cheapest of "
                  + priced.size()
                  + " providers may ask for up to "
                  + priced.getFirst().quote()
                  + ", and the limit is "
                  + wish.priceMax().orElseThrow());
    }
    return new Match.Ranked(within);
  }

  private static Match none(RefusalCode code, String sentence) {
    return new Match.None(new Refusal(code, sentence));
  }

  private static Optional<Candidate> candidate(Offer offer, Wish wish) {
    try {
      Pricing.Rate rate = rate(offer, wish).orElseThrow();
      Pricing pricing =
          Pricing.of(
              new EnumMap<>(Map.of(wish.task().kind(), rate)),
              offer.priceMinimum().units().signum() == 0
                  ? TokenAmount.of(1)
                  : offer.priceMinimum());
      return Optional.of(
          new Candidate(
              offer,
              pricing.quoteMax(wish.task(), wish.inputBytes()),
              has(offer, wish.model(), wish.task().kind()),
              speed(offer, wish).orElseThrow()));
    } catch (MalformedException e) {
      // A price so high that the sum leaves the range of amounts: nobody can pay it.
      return Optional.empty();
    }
  }

  private static boolean has(Offer offer, Hash model, JobKind kind) {
    return !model.isZero()
        && offer.models().stream().anyMatch(m -> m.kind() == kind && m.root().equals(model));
  }

  /// The rate at which an offer computes the wish: that of its model, or that of any model if the
  /// requester brings it.
  private static Optional<Pricing.Rate> rate(Offer offer, Wish wish) {
    JobKind kind = wish.task().kind();
    boolean bringsIt = wish.model().isZero() || wish.modelHere();
    Optional<Offer.Model> exact =
        offer.models().stream()
            .filter(m -> m.kind() == kind && !m.root().isZero() && m.root().equals(wish.model()))
            .findFirst();
    return exact
        .or(() ->
            offer.models().stream()
                .filter(m -> m.kind() == kind && m.root().isZero() && bringsIt)
                .findFirst())
        .map(m -> new Pricing.Rate(m.priceIn(), m.priceOut()));
  }

  /// The speed of the fastest device that fits, if one does.
  private static OptionalLong speed(Offer offer, Wish wish) {
    return offer.devices().stream()
        .filter(d -> d.profile() == wish.profile())
        .filter(d -> d.memoryBytes() >= wish.memoryBytes().orElse(0))
        .mapToLong(Offer.Device::megaflopsPerSecond)
        .max();
  }
}
