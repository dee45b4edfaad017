package io.rigmesh.node.requester;

import io.rigmesh.node.NodeJson;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobCheck;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Optional;

/// Makes drafts into signed jobs.
public final class JobSubmission {
  private static final int NONCE_BITS = 128;

  private final NodeConfig config;
  private final JobStore store;
  private final Blobs blobs;
  private final AccountKey key;
  private final Domain domain;
  private final Optional<ProviderClient> client;
  private final Clock clock;
  private final SecureRandom random = new SecureRandom();

  /// The submission of a node.
  public JobSubmission(
      NodeConfig config,
      JobStore store,
      Blobs blobs,
      AccountKey key,
      Domain domain,
      Optional<ProviderClient> client,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.key = key;
    this.domain = domain;
    this.client = client;
    this.clock = clock;
  }

  /// Signs a draft with the node's key and keeps it.
  ///
  /// @return the job's id
  /// @throws RefusedException if it cannot become a job that the provider would take
  public Hash submit(JobDraft draft) {
    ProviderClient provider =
        client.orElseThrow(() ->
            new RefusedException(
                RefusalCode.UNAVAILABLE,
                "no provider is named; set requester.provider-url and restart"));
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
    TokenAmount priceMax;
    try {
      priceMax = priceMax(draft, inputBytes, provider);
    } catch (ProviderUnreachableException e) {
      throw new RefusedException(RefusalCode.UNAVAILABLE, String.valueOf(e.getMessage()));
    } catch (ProviderFaultException e) {
      throw new RefusedException(RefusalCode.UNSUPPORTED, String.valueOf(e.getMessage()));
    }
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
            JobRole.REQUESTER, job.sign(key, domain), Transition.to(new JobState.Signed()));
    if (!kept) {
      throw new IllegalStateException("a random nonce of 128 bits came up twice");
    }
    return job.id();
  }

  private TokenAmount priceMax(JobDraft draft, long inputBytes, ProviderClient provider) {
    boolean modelHere = draft.model().isEmpty() || blobs.folder(draft.model().get()).isPresent();
    if (!modelHere && provider.folder(draft.model().orElseThrow()).isEmpty()) {
      throw new RefusedException(
          RefusalCode.UNKNOWN_MODEL,
          "the model "
              + draft.model().orElseThrow()
              + " is neither here nor at the provider; upload its folder first");
    }
    if (draft.priceMax().isPresent()) {
      return draft.priceMax().get();
    }
    NodeJson.Remote node = provider.node();
    if (!node.prices().offers(draft.task().kind())) {
      throw new RefusedException(
          RefusalCode.UNSUPPORTED,
          "the provider does not offer jobs of kind " + draft.task().kind().id());
    }
    return node.prices().quoteMax(draft.task(), inputBytes);
  }
}
