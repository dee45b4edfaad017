package io.rigmesh.node.requester;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.offers.LiveOffers;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.scheduler.matching.Candidate;
import io.rigmesh.scheduler.matching.Match;
import io.rigmesh.scheduler.matching.Matching;
import io.rigmesh.scheduler.matching.Wish;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds a provider for a job: the best live offer whose provider says that money is all that the
/// job lacks. One that refuses is passed over for the next, unless the fault is the job's own.
final class ProviderChoice {
  private static final Logger LOG = LoggerFactory.getLogger(ProviderChoice.class);

  private final LiveOffers offers;
  private final JobClient client;
  private final Wishes wishes;
  private final Blobs blobs;
  private final JobStore store;
  private final Probes probes;
  private final Moves moves;
  private final int candidatesMax;

  ProviderChoice(
      LiveOffers offers,
      JobClient client,
      Wishes wishes,
      Blobs blobs,
      JobStore store,
      Probes probes,
      Moves moves,
      int candidatesMax) {
    this.offers = offers;
    this.client = client;
    this.wishes = wishes;
    this.blobs = blobs;
    this.store = store;
    this.probes = probes;
    this.moves = moves;
    this.candidatesMax = candidatesMax;
  }

  /// Matches a job with a provider, refuses it, or lets it wait for better offers.
  Step match(JobRow row) {
    Wish wish =
        wishes.of(
            row.job().task(),
            row.job().model(),
            row.job().profile(),
            blobs.sizeBytes(row.job().input()).orElseThrow(),
            Optional.of(row.job().priceMax()),
            row.wantedPeer());
    return switch (Matching.rank(offers.live(), wish)) {
      case Match.None(Refusal refusal) ->
          refusal.code() == RefusalCode.UNAVAILABLE
              ? new Step.Retry(offers.explain(refusal).sentence())
              : moves.refuse(row, offers.explain(refusal));
      case Match.Ranked(List<Candidate> candidates) -> ask(row, candidates);
    };
  }

  private Step ask(JobRow row, List<Candidate> candidates) {
    Optional<String> passing = Optional.empty();
    Optional<Refusal> firm = Optional.empty();
    for (Candidate candidate : candidates.subList(0, Math.min(candidatesMax, candidates.size()))) {
      PeerId peer = PeerId.of(candidate.offer().peer());
      Word word;
      try {
        word = ask(row, peer);
      } catch (ProviderUnreachableException e) {
        LOG.info("job {} passes over {}: {}", row.id(), peer, e.getMessage());
        passing = Optional.of(String.valueOf(e.getMessage()));
        continue;
      }
      if (!(word instanceof Word.No(Refusal refusal))) {
        tell(row, candidate, candidates.size());
        return moves.move(
            row, Transition.to(new JobState.Matched()).by(candidate.offer().account(), peer));
      }
      if (isJobsFault(refusal)) {
        return moves.refuse(row, refusal);
      }
      LOG.info("job {} passes over {}: {}", row.id(), peer, refusal);
      if (isPassing(refusal)) {
        passing = Optional.of(refusal.toString());
      } else {
        firm = Optional.of(refusal);
      }
    }
    if (passing.isPresent()) {
      return new Step.Retry(passing.get());
    }
    return moves.refuse(row, firm.orElseThrow());
  }

  /// What a provider said about a job that nothing is locked for yet.
  sealed interface Word {
    /// It takes it once it is funded.
    ///
    /// @param acceptance its signature to fund it with, if it gave one
    record Yes(Optional<Signature> acceptance) implements Word {}

    /// It does not.
    record No(Refusal refusal) implements Word {}
  }

  /// Hands the job in before it is funded: if money is all that is missing, nothing else is wrong,
  /// and only then is any locked.
  Word ask(JobRow row, PeerId peer) {
    long inputBytes = blobs.sizeBytes(row.job().input()).orElseThrow();
    try (var _ = probes.begin(row.id(), peer)) {
      return switch (client.submit(
          peer, row.signed(), inputBytes, row.remoteSequence(), Optional.empty())) {
        case JobClient.Answer.Reserved(Signature acceptance) ->
            new Word.Yes(Optional.of(acceptance));
        case JobClient.Answer.Refused(Refusal refusal) ->
            refusal.code() == RefusalCode.NOT_FUNDED
                ? new Word.Yes(Optional.empty())
                : new Word.No(refusal);
        case JobClient.Answer.Taken(var feed) -> {
          // It has the job already: an earlier life of this process has funded it.
          feed.close();
          yield new Word.Yes(Optional.empty());
        }
        case JobClient.Answer.Unknown _ ->
            throw new ProviderUnreachableException(
                "the provider " + peer + " does not know a job that was handed in just now");
      };
    }
  }

  /// Refusals that pass by themselves.
  static boolean isPassing(Refusal refusal) {
    return refusal.code() == RefusalCode.BUSY || refusal.code() == RefusalCode.UNAVAILABLE;
  }

  /// Refusals that every provider would repeat.
  private static boolean isJobsFault(Refusal refusal) {
    return switch (refusal.code()) {
      case MALFORMED, BAD_SIGNATURE, EXPIRED, REPLAYED -> true;
      case TOO_LARGE,
          DEADLINE_TOO_SOON,
          PRICE_TOO_LOW,
          NOT_FUNDED,
          WRONG_CHAIN,
          UNPAID,
          UNKNOWN_MODEL,
          UNKNOWN_INPUT,
          UNSUPPORTED,
          OUT_OF_MEMORY,
          BUSY,
          UNAVAILABLE ->
          false;
    };
  }

  private void tell(JobRow row, Candidate chosen, int fitting) {
    String why =
        "chose the provider "
            + chosen.offer().peer()
            + ": best of "
            + fitting
            + " that fit, at most "
            + chosen.quote()
            + (chosen.hasModel() ? ", has the model" : "")
            + (chosen.megaflopsPerSecond() > 0
                ? ", measured at " + chosen.megaflopsPerSecond() + " Mflop/s"
                : "");
    LOG.info("job {}: {}", row.id(), why);
    store.note(
        row.id(),
        JobEvent.Type.NOTE,
        JsonNodeFactory.instance.objectNode().put("message", why).toString(),
        0);
  }
}
