package io.rigmesh.node.requester;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.node.NodeJson;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.Closing;
import io.rigmesh.node.store.Drivers;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.node.workers.WorkerLaunches;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.worker.verify.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The steps of a job that this node pays for: a provider is matched, its escrow funded, the job
/// handed in and watched, the result checked, the money released; or it comes back.
public final class RequesterFlow implements Drivers.Stepper {
  private static final Logger LOG = LoggerFactory.getLogger(RequesterFlow.class);
  private static final Duration SILENCE_MAX = Duration.ofSeconds(60);
  private static final Duration SLOWLY = Duration.ofSeconds(5);

  private final NodeConfig config;
  private final JobStore store;
  private final Blobs blobs;
  private final ChainLink chain;
  private final Address account;
  private final Optional<ProviderClient> client;
  private final Uploads uploads;
  private final Audit audit;
  private final Clock clock;
  private final Set<Hash> calledOff = ConcurrentHashMap.newKeySet();

  /// The flow of a node.
  ///
  /// @param client the provider that jobs go to, if the settings name one
  public RequesterFlow(
      NodeConfig config,
      JobStore store,
      Blobs blobs,
      ChainLink chain,
      Address account,
      Optional<ProviderClient> client,
      WorkerLaunches launches,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.chain = chain;
    this.account = account;
    this.client = client;
    this.uploads = new Uploads(blobs);
    this.audit = new Audit(config, blobs, launches);
    this.clock = clock;
  }

  @Override
  public void restore(JobRow row) {
    // Everything that a requester's step needs is in the store, on the chain, or at the provider.
  }

  /// Somebody wants a job called off; its row says so already. The provider is told at once; if it
  /// cannot be, the job's next step tells it.
  public void cancel(Hash job) {
    calledOff.add(job);
    Thread.ofVirtual()
        .name("cancel-" + job.hex().substring(2, 10))
        .start(() -> {
          try {
            provider().cancel(job);
          } catch (ProviderUnreachableException | ProviderFaultException e) {
            LOG.warn(
                "the provider does not know yet that job {} is called off: {}",
                job,
                e.getMessage());
          }
        });
  }

  @Override
  public Step step(JobRow row) throws InterruptedException {
    try {
      return switch (row.state()) {
        case JobState.Signed _ -> match(row);
        case JobState.Matched _ -> fund(row);
        case JobState.Funded _ -> handIn(row);
        case JobState.Running _ -> watch(row);
        case JobState.Completed _ -> settle(row);
        case JobState.Disputed _ -> awaitDispute(row);
        case JobState.Refused _,
            JobState.Cancelled _,
            JobState.Expired _,
            JobState.Failed _,
            JobState.Settled _ ->
            reclaim(row);
        case JobState.Draft _ ->
            throw new IllegalStateException("a draft is signed before it is kept");
      };
    } catch (ProviderUnreachableException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the daemon is stopping");
      }
      return isPastDeadline(row) && !isDone(row)
          ? move(row, Transition.to(new JobState.Expired()).owing(owed(row)))
          : new Step.Retry(String.valueOf(e.getMessage()));
    }
  }

  /// Finds out who the provider is and whether its price fits.
  private Step match(JobRow row) {
    Optional<Step> over = called(row);
    if (over.isPresent()) {
      return over.get();
    }
    NodeJson.Remote node = provider().node();
    Job job = row.job();
    if (!node.domain().equals(chain.contracts().domain())) {
      return refuse(
          row,
          RefusalCode.UNSUPPORTED,
          "the provider works with another chain or escrow contract: " + node.domain());
    }
    if (!node.roles().contains(JobRole.PROVIDER)
        || !node.prices().offers(job.task().kind())
        || node.account().equals(account)) {
      return refuse(
          row,
          RefusalCode.UNSUPPORTED,
          "the node at requester.provider-url does not compute "
              + job.task().kind().id()
              + " jobs for others");
    }
    TokenAmount quote =
        node.prices().quoteMax(job.task(), blobs.sizeBytes(job.input()).orElseThrow());
    if (quote.compareTo(job.priceMax()) > 0) {
      return refuse(
          row,
          RefusalCode.PRICE_TOO_LOW,
          "the provider may ask for up to " + quote + ", and the limit is " + job.priceMax());
    }
    return move(row, Transition.to(new JobState.Matched()).by(node.account()));
  }

  /// Hands the job in before it is funded: if money is all that is missing, nothing else is wrong,
  /// and only then is any locked.
  private Step fund(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    boolean decided =
        chain.intents().find("fund:" + account.hex() + ":" + row.id().hex()).isPresent();
    if (!decided && escrows.escrow(account, row.id()).isEmpty()) {
      Optional<Step> over = called(row);
      if (over.isPresent()) {
        return over.get();
      }
      uploads.send(row.job(), provider());
      if (provider().post(row.signed()) instanceof ProviderClient.Posted.Refused(Refusal refusal)
          && refusal.code() != RefusalCode.NOT_FUNDED) {
        return isPassing(refusal)
            ? new Step.Retry(refusal.toString())
            : move(row, Transition.to(new JobState.Refused(refusal)));
      }
    }
    try {
      escrows.fund(
          row.id(),
          row.provider().orElseThrow(),
          row.job().priceMax(),
          Instant.ofEpochSecond(row.job().deadlineSeconds()));
    } catch (TransactionRefusedException
        | TransactionFailedException
        | InsufficientGasFundsException e) {
      if (escrows.escrow(account, row.id()).isEmpty()) {
        return move(row, Transition.to(new JobState.Failed(String.valueOf(e.getMessage()))));
      }
    }
    return move(row, Transition.to(new JobState.Funded()));
  }

  private Step handIn(JobRow row) {
    Optional<Step> over = called(row);
    if (over.isPresent()) {
      return over.get();
    }
    return switch (provider().post(row.signed())) {
      case ProviderClient.Posted.Taken _ -> watch(row);
      case ProviderClient.Posted.Refused(Refusal refusal) -> {
        // Its chain endpoint may be a block behind ours.
        boolean later = isPassing(refusal) || refusal.code() == RefusalCode.NOT_FUNDED;
        yield later
            ? new Step.Retry(refusal.toString())
            : move(row, Transition.to(new JobState.Refused(refusal)).owing(Closing.REFUND));
      }
    };
  }

  /// Mirrors the provider's events until something has to be done.
  private Step watch(JobRow row) {
    if (row.cancelAsked()) {
      provider().cancel(row.id());
    }
    if (isPastDeadline(row) && provider().job(row.id()).isEmpty()) {
      return move(row, Transition.to(new JobState.Expired()).owing(Closing.REFUND));
    }
    Remote[] last = {new Remote.None()};
    JobRow[] now = {row};
    provider()
        .events(
            row.id(),
            row.remoteSequence(),
            SILENCE_MAX,
            event -> {
              last[0] = mirror(now[0], event);
              if (last[0] instanceof Remote.State(JobState.Running _)) {
                // Written down at once, and the stream goes on.
                now[0] = begin(now[0]);
                last[0] = new Remote.None();
              }
              return last[0] instanceof Remote.None && !calledOff.remove(row.id());
            });
    store.flush();
    JobState remote =
        switch (last[0]) {
          case Remote.State(JobState state) -> state;
          // The stream ended without news; ask how things stand.
          case Remote.None _ ->
              provider().job(row.id()).map(JobJson.Remote::state).orElse(new JobState.Matched());
        };
    return follow(store.find(row.id()).orElse(row), remote);
  }

  private JobRow begin(JobRow row) {
    LOG.info("job {} is running", row.id());
    return store.transition(row.id(), Transition.to(new JobState.Running()).since(nowSeconds()));
  }

  /// What an event of the provider means for this side.
  private sealed interface Remote {
    /// Nothing but progress.
    record None() implements Remote {}

    /// Its job entered a state that this side has to act on.
    record State(JobState state) implements Remote {}
  }

  private Remote mirror(JobRow row, JobEvent event) {
    if (event.type() != JobEvent.Type.STATE) {
      store.note(row.id(), event.type(), event.data(), event.sequence());
      return new Remote.None();
    }
    JsonNode data =
        ProtocolJson.parse(event.data().getBytes(StandardCharsets.UTF_8), "a provider's state");
    JobState state = JobJson.readState(data);
    boolean waits =
        state instanceof JobState.Matched
            || state instanceof JobState.Funded
            || (state instanceof JobState.Running && row.state() instanceof JobState.Running);
    return waits ? new Remote.None() : new Remote.State(state);
  }

  private Step follow(JobRow row, JobState remote) {
    boolean running = row.state() instanceof JobState.Running;
    return switch (remote) {
      case JobState.Draft _, JobState.Signed _, JobState.Matched _, JobState.Funded _ ->
          new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
      case JobState.Running _ when isLongPastDeadline(row) ->
          move(row, Transition.to(new JobState.Expired()).owing(Closing.REFUND));
      case JobState.Running _ ->
          running
              ? new Step.Wait(Duration.ofMillis(config.chain().pollMillis()))
              : move(row, Transition.to(new JobState.Running()).since(nowSeconds()));
      case JobState.Completed _, JobState.Settled _ -> {
        if (!running) {
          yield move(row, Transition.to(new JobState.Running()).since(nowSeconds()));
        }
        yield receive(row);
      }
      case JobState.Cancelled _ ->
          move(row, Transition.to(new JobState.Cancelled()).owing(Closing.REFUND));
      case JobState.Expired _ ->
          move(row, Transition.to(new JobState.Expired()).owing(Closing.REFUND));
      case JobState.Failed(String reason) -> fail(row, reason);
      case JobState.Disputed(String reason) -> fail(row, reason);
      case JobState.Refused(Refusal refusal) ->
          running
              ? fail(row, refusal.toString())
              : move(row, Transition.to(new JobState.Refused(refusal)).owing(Closing.REFUND));
    };
  }

  /// Fetches receipt and output, and checks all of the receipt that needs no recomputation.
  private Step receive(JobRow row) {
    try {
      byte[] json = provider().receipt(row.id());
      ReceiptFile file = ReceiptCheck.read(json, row, chain.contracts().domain());
      Optional<Hash> model =
          uploads.receive(
              row.job(),
              file.receipt().receipt().output(),
              provider(),
              config.audit().samples() > 0);
      return move(row, Transition.to(new JobState.Completed()).with(file, model));
    } catch (ProviderFaultException | BlobRefusedException | MalformedException e) {
      return fail(row, String.valueOf(e.getMessage()));
    }
  }

  /// Audits the result, and pays for it once the proof on the chain is the receipt's.
  private Step settle(JobRow row) throws InterruptedException {
    EscrowClient escrows = chain.require().escrow();
    JobRow.Completion completion = row.completion().orElseThrow();
    Optional<Escrow> found = escrows.escrow(account, row.id());
    if (found.isEmpty()) {
      return new Step.Retry("the escrow of job " + row.id() + " is not on the chain");
    }
    Escrow escrow = found.get();
    switch (escrow.status()) {
      case RELEASED -> {
        return move(row, Transition.to(new JobState.Settled()));
      }
      case REFUNDED -> {
        return move(row, Transition.to(new JobState.Expired()));
      }
      case FUNDED, ACCEPTED -> {
        return isPastDeadline(row)
            ? refundOf(row, escrows)
            : new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
      }
      case PROVEN -> {}
    }
    Escrow.Proof proof = escrow.proof().orElseThrow();
    if (!proof.root().equals(completion.receiptHash())
        || !proof.amountDue().equals(completion.price())) {
      return move(
          row,
          Transition.to(
              new JobState.Disputed(
                  "the proof on the chain is "
                      + proof.root()
                      + " for "
                      + proof.amountDue()
                      + ", the receipt "
                      + completion.receiptHash()
                      + " for "
                      + completion.price())));
    }
    if (config.audit().samples() > 0) {
      Optional<String> fault = auditFault(row, completion);
      if (fault.isPresent()) {
        return move(row, Transition.to(new JobState.Disputed(fault.get())));
      }
    }
    try {
      escrows.release(account, row.id());
    } catch (TransactionRefusedException | TransactionFailedException e) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    return move(row, Transition.to(new JobState.Settled()));
  }

  private Optional<String> auditFault(JobRow row, JobRow.Completion completion)
      throws InterruptedException {
    byte[] receipt = store.receipt(row.id()).orElseThrow();
    Verdict verdict = audit.check(row.job(), receipt, completion.output());
    LOG.info("the audit of job {}: {}", row.id(), verdict.sentence());
    String note =
        com.fasterxml.jackson.databind.node.JsonNodeFactory.instance
            .objectNode()
            .put("message", "audit: " + verdict.sentence())
            .toString();
    store.note(row.id(), JobEvent.Type.NOTE, note, 0);
    return switch (verdict) {
      case Verdict.Exact _ -> Optional.empty();
      // The sentence names the step.
      case Verdict.Differs(_, String sentence) -> Optional.of(sentence);
      case Verdict.Invalid(String sentence) -> Optional.of(sentence);
    };
  }

  /// Nothing on the chain decides a dispute yet: after the challenge time anybody may release the
  /// money, and this only sees what became of it.
  private Step awaitDispute(JobRow row) {
    Optional<EscrowStatus> status =
        chain.require().escrow().escrow(account, row.id()).map(Escrow::status);
    if (status.equals(Optional.of(EscrowStatus.RELEASED))) {
      return move(row, Transition.to(new JobState.Settled()));
    }
    if (status.equals(Optional.of(EscrowStatus.REFUNDED))) {
      return move(
          row,
          Transition.to(new JobState.Failed("disputed, and the money came back: " + row.state())));
    }
    return new Step.Wait(SLOWLY);
  }

  /// Sees the money of a job that ended without a result come back.
  private Step reclaim(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> escrow = escrows.escrow(account, row.id());
    boolean open =
        escrow.isPresent()
            && (escrow.get().status() == EscrowStatus.FUNDED
                || escrow.get().status() == EscrowStatus.ACCEPTED);
    if (!open) {
      store.closed(row.id());
      return new Step.Moved();
    }
    if (isPastDeadline(row)) {
      try {
        escrows.refund(account, row.id());
      } catch (TransactionRefusedException | TransactionFailedException e) {
        // The chain's clock may be behind ours.
        return new Step.Retry(String.valueOf(e.getMessage()));
      }
      return new Step.Moved();
    }
    // A provider that took the job gives it back at once; otherwise the contract does after the
    // deadline.
    return new Step.Wait(SLOWLY);
  }

  private Step refundOf(JobRow row, EscrowClient escrows) {
    try {
      escrows.refund(account, row.id());
    } catch (TransactionRefusedException | TransactionFailedException e) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    return move(row, Transition.to(new JobState.Expired()));
  }

  /// The end of a job that was called off or is too late, before the provider has it.
  private Optional<Step> called(JobRow row) {
    if (row.cancelAsked()) {
      if (row.state() instanceof JobState.Funded) {
        // The provider may have it already; if so, it gives the money back at once.
        provider().cancel(row.id());
      }
      return Optional.of(move(row, Transition.to(new JobState.Cancelled()).owing(owed(row))));
    }
    if (isPastDeadline(row)) {
      return Optional.of(move(row, Transition.to(new JobState.Expired()).owing(owed(row))));
    }
    return Optional.empty();
  }

  private static Closing owed(JobRow row) {
    boolean free = row.state() instanceof JobState.Signed;
    return free ? Closing.NONE : Closing.REFUND;
  }

  private static boolean isDone(JobRow row) {
    return row.state() instanceof JobState.Completed
        || row.state() instanceof JobState.Disputed
        || row.state().isFinal();
  }

  private ProviderClient provider() {
    return client.orElseThrow(() ->
        new ProviderUnreachableException(
            "no provider is named; set requester.provider-url and restart"));
  }

  /// Refusals that pass by themselves.
  private static boolean isPassing(Refusal refusal) {
    return refusal.code() == RefusalCode.BUSY || refusal.code() == RefusalCode.UNAVAILABLE;
  }

  private boolean isPastDeadline(JobRow row) {
    return nowSeconds() >= row.job().deadlineSeconds();
  }

  /// A provider ends its jobs at their deadline by itself; one that has not by now will not.
  private boolean isLongPastDeadline(JobRow row) {
    return nowSeconds() >= row.job().deadlineSeconds() + SILENCE_MAX.toSeconds();
  }

  private long nowSeconds() {
    return clock.instant().getEpochSecond();
  }

  private Step refuse(JobRow row, RefusalCode code, String sentence) {
    return move(row, Transition.to(new JobState.Refused(new Refusal(code, sentence))));
  }

  private Step fail(JobRow row, String reason) {
    return move(row, Transition.to(new JobState.Failed(reason)).owing(Closing.REFUND));
  }

  private Step move(JobRow row, Transition transition) {
    store.transition(row.id(), transition);
    LOG.info("job {} is {}", row.id(), transition.next().id());
    return new Step.Moved();
  }
}
