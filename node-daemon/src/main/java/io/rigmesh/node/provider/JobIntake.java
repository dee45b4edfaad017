package io.rigmesh.node.provider;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobCheck;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import io.rigmesh.scheduler.queue.Admission;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Decides whether a signed job is taken: form, signature, kind, files, price, capacity, and its
/// money last. Nothing is kept of a job that is not.
public final class JobIntake {
  private static final int RESERVED_MAX = 8;

  private final NodeConfig config;
  private final JobStore store;
  private final Blobs blobs;
  private final ChainLink chain;
  private final Address account;
  private final Dispatcher dispatcher;
  private final Pricing pricing;
  private final Payments payments;
  private final Works works;
  private final JobCheck check;
  private final Clock clock;
  private final Set<Hash> underWay = ConcurrentHashMap.newKeySet();

  /// Jobs that hold a place without money, and until when.
  private final Map<Hash, Instant> reserved = new ConcurrentHashMap<>();

  /// The intake of a node.
  public JobIntake(
      NodeConfig config,
      JobStore store,
      Blobs blobs,
      ChainLink chain,
      Address account,
      Dispatcher dispatcher,
      Pricing pricing,
      Payments payments,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.chain = chain;
    this.account = account;
    this.dispatcher = dispatcher;
    this.pricing = pricing;
    this.payments = payments;
    this.works = new Works(blobs, config.jobs().inputBytesMax());
    this.check = new JobCheck(chain.contracts().domain(), store::jobOfNonce);
    this.clock = clock;
  }

  /// What became of a job that is not refused.
  public sealed interface Decision {
    /// It was taken.
    ///
    /// @param id its id
    /// @param known true if it had been taken before
    record Taken(Hash id, boolean known) implements Decision {}

    /// A place is held for it until its money is locked, or the place lapses. Nothing was kept.
    ///
    /// @param acceptance the signature with which that can be done
    record Reserved(Signature acceptance) implements Decision {}
  }

  /// Takes a signed job as JSON.
  ///
  /// @throws RefusedException if it is not taken
  public Decision.Taken take(byte[] json) {
    requireProvider();
    return switch (take(
        check.check(json, clock.instant().getEpochSecond()),
        Supply.NONE,
        Optional.empty(),
        false)) {
      case Decision.Taken taken -> taken;
      case Decision.Reserved _ -> throw new IllegalStateException("no place was asked for");
    };
  }

  /// Takes a signed job whose files may be elsewhere. They are fetched once its money is bound, but
  /// for what says how large its model is.
  ///
  /// @param channel the channel that its requester names for it
  /// @return that it is taken, or that it will be once its money is locked
  /// @throws RefusedException if it is not taken
  public Decision take(SignedJob job, Supply supply, Optional<ChannelTerms> channel) {
    requireProvider();
    return take(check.check(job, clock.instant().getEpochSecond()), supply, channel, true);
  }

  private void requireProvider() {
    if (!config.provider().enabled()) {
      throw refuse(RefusalCode.UNSUPPORTED, "this node takes no jobs: provider.enabled is false");
    }
  }

  private Decision take(
      JobCheck.Result checked, Supply supply, Optional<ChannelTerms> channel, boolean reserving) {
    return switch (checked) {
      case JobCheck.Failed(Refusal refusal) -> throw new RefusedException(refusal);
      case JobCheck.Passed(SignedJob signed, boolean known) -> {
        Hash id = signed.job().id();
        if (known) {
          yield known(id);
        }
        if (!underWay.add(id)) {
          throw refuse(
              RefusalCode.BUSY, "this very job is being taken in right now; ask again in a moment");
        }
        try {
          yield take(signed, supply, channel, reserving, id);
        } finally {
          underWay.remove(id);
        }
      }
    };
  }

  private Decision known(Hash id) {
    boolean asProvider = store.find(id).map(row -> row.role() == JobRole.PROVIDER).orElse(false);
    if (!asProvider) {
      throw refuse(RefusalCode.UNSUPPORTED, "a node does not compute its own jobs");
    }
    return new Decision.Taken(id, true);
  }

  private Decision take(
      SignedJob signed, Supply supply, Optional<ChannelTerms> channel, boolean reserving, Hash id) {
    Job job = signed.job();
    if (job.requester().equals(account)) {
      throw refuse(RefusalCode.UNSUPPORTED, "a node does not compute its own jobs");
    }
    chain
        .trouble()
        .ifPresent(trouble -> {
          throw refuse(RefusalCode.UNAVAILABLE, trouble + "; no new job is taken until it is back");
        });
    if (!pricing.offers(job.task().kind())) {
      throw refuse(
          RefusalCode.UNSUPPORTED, "jobs of kind " + job.task().kind().id() + " are not offered");
    }
    long inputBytes = works.inputBytes(job, supply);
    TokenAmount quote = pricing.quoteMax(job.task(), inputBytes);
    if (quote.compareTo(job.priceMax()) > 0) {
      throw refuse(
          RefusalCode.PRICE_TOO_LOW,
          "it may cost up to "
              + quote
              + ", and its limit is "
              + job.priceMax()
              + "; sign again with a higher one");
    }
    // What has to be fetched comes behind what can be refused without.
    if (!job.model().isZero() && blobs.folder(job.model()).isEmpty()) {
      supply.shape(job);
    }
    if (!dispatcher.keepPlace(id)) {
      switch (dispatcher.admit(works.of(job, inputBytes))) {
        case Admission.Refused(Refusal refusal) -> throw new RefusedException(refusal);
        case Admission.Admitted _ -> {}
      }
    }
    boolean kept = false;
    try {
      Optional<Signature> acceptance =
          reserving ? payments.of(job).acceptance(job) : Optional.empty();
      if (acceptance.isPresent() && reserve(job)) {
        kept = true;
        return new Decision.Reserved(acceptance.get());
      }
      Optional<ChannelTerms> payer = payments.of(job).requireFunds(job, channel);
      fetch(job, supply, inputBytes);
      Transition first = Transition.to(new JobState.Matched()).by(account);
      kept = store.insert(JobRole.PROVIDER, signed, payer.map(first::paidBy).orElse(first));
      if (!kept) {
        throw refuse(
            RefusalCode.REPLAYED,
            "requester "
                + job.requester()
                + " has used nonce "
                + job.nonce()
                + " just now; sign again with a new nonce");
      }
      reserved.remove(id);
      return new Decision.Taken(id, false);
    } finally {
      // A place that was promised waits for its money until it lapses.
      if (!kept && !reserved.containsKey(id)) {
        dispatcher.release(id);
        payments.of(job).forget(id);
      }
    }
  }

  /// Lets a job keep its place although nothing is locked for it. Only so many may, since places
  /// that cost nothing would otherwise keep out those who pay; the others are told as before that
  /// money is what they lack.
  private boolean reserve(Job job) {
    Instant now = clock.instant();
    synchronized (reserved) {
      reserved.values().removeIf(until -> until.isBefore(now));
      if (!reserved.containsKey(job.id()) && reserved.size() >= RESERVED_MAX) {
        return false;
      }
      reserved.put(job.id(), now.plusSeconds(config.provider().placeSeconds()));
      return true;
    }
  }

  /// Fetches what is not here yet, and keeps the job's place meanwhile.
  private void fetch(Job job, Supply supply, long inputBytes) {
    Thread keeper =
        Thread.ofVirtual()
            .name("place")
            .start(() -> {
              try {
                while (dispatcher.keepPlace(job.id())) {
                  Thread.sleep(
                      Duration.ofSeconds(Math.max(1, config.provider().placeSeconds() / 3)));
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    try {
      if (!blobs.has(job.input())) {
        supply.input(job, Math.max(1, inputBytes));
      }
      if (blobs.sizeBytes(job.input()).orElse(-1) != inputBytes) {
        throw refuse(
            RefusalCode.MALFORMED,
            "the input "
                + job.input()
                + " has other than the "
                + inputBytes
                + " bytes it was said to");
      }
      if (!job.model().isZero() && blobs.folder(job.model()).isEmpty()) {
        supply.model(
            job,
            blobs
                .manifest(job.model())
                .orElseThrow(() ->
                    refuse(
                        RefusalCode.UNKNOWN_MODEL, "the model " + job.model() + " is not here")));
      }
    } finally {
      keeper.interrupt();
    }
  }

  private static RefusedException refuse(RefusalCode code, String sentence) {
    return new RefusedException(code, sentence);
  }
}
