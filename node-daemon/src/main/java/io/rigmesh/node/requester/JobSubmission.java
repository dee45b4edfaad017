package io.rigmesh.node.requester;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.network.offers.LiveOffers;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobCheck;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.matching.Candidate;
import io.rigmesh.scheduler.matching.Match;
import io.rigmesh.scheduler.matching.Matching;
import io.rigmesh.scheduler.matching.Wish;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/// Makes drafts into signed jobs.
public final class JobSubmission {
  private static final int NONCE_BITS = 128;

  /// How many offers behind the best one the limit of a job leaves room for.
  private static final int OTHERS = 2;

  private final NodeConfig config;
  private final JobStore store;
  private final Blobs blobs;
  private final AccountKey key;
  private final Domain domain;
  private final LiveOffers offers;
  private final Wishes wishes;
  private final Clock clock;
  private final SecureRandom random = new SecureRandom();

  /// The submission of a node.
  public JobSubmission(
      NodeConfig config,
      JobStore store,
      Blobs blobs,
      AccountKey key,
      Domain domain,
      LiveOffers offers,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.key = key;
    this.domain = domain;
    this.offers = offers;
    this.wishes = new Wishes(config.requester(), blobs, key.address());
    this.clock = clock;
  }

  /// Signs a draft with the node's key and keeps it.
  ///
  /// @return the job's id
  /// @throws RefusedException if it cannot become a job that a provider would take
  public Hash submit(JobDraft draft) {
    long inputBytes =
        blobs
            .sizeBytes(draft.input())
            .orElseThrow(() ->
                new RefusedException(
                    RefusalCode.UNKNOWN_INPUT,
                    "the input " + draft.input() + " is not here; upload it first"));
    if (inputBytes > config.jobs().inputBytesMax()) {
      throw new RefusedException(
          RefusalCode.TOO_LARGE,
          "the input has "
              + inputBytes
              + " bytes, and at most "
              + config.jobs().inputBytesMax()
              + " are taken");
    }
    if (draft.deadlineSeconds() < 1
        || draft.deadlineSeconds() > JobCheck.DEADLINE_AHEAD_SECONDS_MAX) {
      throw new RefusedException(
          RefusalCode.MALFORMED, "a deadline lies between 1 second and 30 days from now");
    }
    TokenAmount priceMax = draft.priceMax().orElseGet(() -> priceMax(draft, inputBytes));
    Job job;
    try {
      job =
          new Job(
              draft.task(),
              draft.model().orElse(Hash.ZERO),
              draft.profile(),
              draft.input(),
              draft.seed().isPresent() ? draft.seed().getAsLong() : random.nextLong(),
              priceMax,
              clock.instant().getEpochSecond() + draft.deadlineSeconds(),
              key.address(),
              new BigInteger(NONCE_BITS, random));
    } catch (MalformedException e) {
      throw new RefusedException(RefusalCode.MALFORMED, e.sentence());
    }
    boolean kept =
        store.insert(
            JobRole.REQUESTER,
            job.sign(key, domain),
            Transition.to(new JobState.Signed()),
            draft.provider());
    if (!kept) {
      throw new IllegalStateException("a random nonce of 128 bits came up twice");
    }
    return job.id();
  }

  /// The limit where none is said: what the third-best offer may ask, so that the job can go on if
  /// the best refuses it, but no more than twice what the best may ask. What is paid is what the
  /// provider asks in the end.
  private TokenAmount priceMax(JobDraft draft, long inputBytes) {
    Wish wish =
        wishes.of(
            draft.task(),
            draft.model().orElse(Hash.ZERO),
            draft.profile(),
            inputBytes,
            Optional.empty(),
            draft.provider());
    return switch (Matching.rank(offers.live(), wish)) {
      case Match.None(Refusal refusal) -> throw new RefusedException(offers.explain(refusal));
      case Match.Ranked(List<Candidate> candidates) -> {
        TokenAmount best = candidates.getFirst().quote();
        TokenAmount another = candidates.get(Math.min(OTHERS, candidates.size() - 1)).quote();
        TokenAmount bound = best.plus(best);
        yield another.compareTo(bound) < 0 ? another : bound;
      }
    };
  }
}
