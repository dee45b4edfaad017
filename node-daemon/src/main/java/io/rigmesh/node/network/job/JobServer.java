package io.rigmesh.node.network.job;

import com.google.protobuf.ByteString;
import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.jobs.Intake;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.JobView;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.node.network.PeerRates;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Market;
import io.rigmesh.node.pay.Milestones;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.pay.Till;
import io.rigmesh.node.provider.Supply;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobPass;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.wire.JobWire;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The provider's side of `/rigmesh/job/1.0.0`: takes jobs in, tells how they go, hands out their
/// receipts. Whoever opens a stream shows the requester's pass for exactly its own peer.
public final class JobServer {
  private static final Logger LOG = LoggerFactory.getLogger(JobServer.class);
  private static final Duration OPEN_MAX = Duration.ofSeconds(15);
  private static final Duration WRITE_MAX = Duration.ofSeconds(30);

  /// A reset stream cancels its job only if the connection outlives it so long: a requester that
  /// died or lost its network resets nothing on purpose.
  private static final Duration RESET_GRACE = Duration.ofSeconds(2);

  private static final String COMPLETED = new JobState.Completed().id();
  private static final int STREAMS_MAX = 512;
  private static final double OPENS_PER_SECOND = 20;
  private static final double OPENS_BURST = 200;

  private static final JobWire.Reply END =
      JobWire.Reply.newBuilder().setEnd(JobWire.End.getDefaultInstance()).build();

  /// Vouchers and approvals that are worth nothing, before a stream ends.
  private static final int REFUSED_MAX = 8;

  private static final int AGAIN_MAX = 256;

  /// How long a stream that is at its end waits for the requester to say its last.
  private static final Duration FAREWELL = Duration.ofSeconds(5);

  private final Jobs jobs;
  private final Taker taker;
  private final Suppliers suppliers;
  private final Domain domain;
  private final Market market;
  private final Till till;
  private final Milestones milestones;
  private final Semaphore streams = new Semaphore(STREAMS_MAX);
  private final PeerRates rates = new PeerRates(OPENS_PER_SECOND, OPENS_BURST);
  // The stream that follows a job last; an older one that ends says nothing about the job.
  private final Map<Hash, Stream> followed = new ConcurrentHashMap<>();

  /// Decides on a job and keeps it.
  @FunctionalInterface
  public interface Taker {
    /// Takes a job in, or says why not.
    ///
    /// @param channel the channel that its requester names for it
    Intake accept(SignedJob job, Supply supply, Optional<ChannelTerms> channel);
  }

  /// Says where a peer's job gets its files from.
  @FunctionalInterface
  public interface Suppliers {
    /// The files of a job that a peer hands in.
    Supply of(PeerId peer, long inputBytes);
  }

  /// The server of a node's jobs.
  ///
  /// @param domain the chain and contract for which requesters sign
  /// @param market the same with the contract of channels
  /// @param till says what jobs cost, and takes vouchers
  /// @param milestones says which were reached, and takes approvals
  public JobServer(
      Jobs jobs,
      Taker taker,
      Suppliers suppliers,
      Domain domain,
      Market market,
      Till till,
      Milestones milestones) {
    this.jobs = jobs;
    this.taker = taker;
    this.suppliers = suppliers;
    this.domain = domain;
    this.market = market;
    this.till = till;
    this.milestones = milestones;
  }

  /// Serves the protocol on a host.
  public void serveOn(Host host) {
    host.handle(JobProtocol.ID, StreamHandler.blocking(this::serve));
  }

  private void serve(Stream stream, BlockingStream io) throws InterruptedException {
    io.timeout(OPEN_MAX);
    JobWire.Open open = JobProtocol.open(io.requireMessage(JobProtocol.OPEN_BYTES_MAX));
    io.timeout(WRITE_MAX);
    if (!streams.tryAcquire()) {
      refuse(io, RefusalCode.BUSY, STREAMS_MAX + " streams are open; try again later");
      return;
    }
    try {
      if (!rates.tryTake(stream.peer())) {
        refuse(
            io,
            RefusalCode.BUSY,
            "more than " + (int) OPENS_PER_SECOND + " streams a second came from this peer; wait");
        return;
      }
      switch (open.getWhatCase()) {
        case SUBMIT -> submit(stream, io, open.getPass(), open.getSubmit());
        case FOLLOW -> {
          Hash id = JobProtocol.hash(open.getFollow().getJobId());
          Optional<JobView> job = theirs(stream.peer(), id, open.getPass());
          if (job.isEmpty()) {
            unknown(io);
          } else {
            follow(
                stream,
                io,
                job.get(),
                true,
                open.getFollow().getAfter(),
                open.getFollow().getMilestonesKnown());
          }
        }
        case CANCEL -> {
          Hash id = JobProtocol.hash(open.getCancel().getJobId());
          if (theirs(stream.peer(), id, open.getPass()).isEmpty()) {
            unknown(io);
          } else {
            jobs.cancel(id);
            io.writeMessage(
                JobProtocol.accepted(jobs.find(id).orElseThrow().state(), true, Optional.empty()));
          }
        }
        case WHAT_NOT_SET ->
            refuse(
                io, RefusalCode.UNSUPPORTED, "the first message submits, follows or cancels a job");
      }
    } catch (MalformedException e) {
      refuse(io, RefusalCode.MALFORMED, e.sentence());
    } finally {
      streams.release();
    }
  }

  /// A job that this node computes, if the peer speaks for its requester.
  private Optional<JobView> theirs(PeerId peer, Hash id, ByteString pass) {
    return jobs.find(id)
        .filter(job -> job.role() == JobRole.PROVIDER)
        .filter(job -> isPass(job.signed().job(), peer, pass));
  }

  private boolean isPass(Job job, PeerId peer, ByteString pass) {
    return new JobPass(job.id(), peer.toString())
        .isSignedBy(job.requester(), Signature.of(pass.toByteArray()), domain);
  }

  private void submit(Stream stream, BlockingStream io, ByteString pass, JobWire.Submit submit)
      throws InterruptedException {
    if (submit.hasMarket()) {
      // First, since nothing that is signed for another market has a signature that is good here.
      Optional<Refusal> elsewhere = market.refusal(MoneyMessages.market(submit.getMarket()));
      if (elsewhere.isPresent()) {
        io.writeMessage(JobProtocol.refused(elsewhere.get()));
        return;
      }
    }
    Optional<ChannelTerms> channel =
        submit.hasChannel()
            ? Optional.of(MoneyMessages.channel(submit.getChannel()))
            : Optional.empty();
    SignedJob signed =
        new SignedJob(
            Job.fromCanonicalBytes(submit.getJob().toByteArray()),
            Signature.of(submit.getSignature().toByteArray()));
    if (!isPass(signed.job(), stream.peer(), pass)) {
      refuse(
          io,
          RefusalCode.BAD_SIGNATURE,
          "the pass is not signed by requester "
              + signed.job().requester()
              + " for this job and the peer "
              + stream.peer());
      return;
    }
    CompletableFuture<Intake> decided = new CompletableFuture<>();
    Thread intake =
        Thread.ofVirtual()
            .name("intake")
            .start(() -> {
              try {
                decided.complete(
                    taker.accept(
                        signed, suppliers.of(stream.peer(), submit.getInputBytes()), channel));
              } catch (RuntimeException e) {
                decided.completeExceptionally(e);
              }
            });
    try {
      switch (awaitDecision(io, decided)) {
        case Intake.Accepted(JobView job, boolean known) ->
            follow(stream, io, job, known, submit.getAfter(), submit.getMilestonesKnown());
        case Intake.Reserved(Signature acceptance) -> {
          io.writeMessage(JobProtocol.reserved(acceptance));
          io.writeMessage(END);
          io.closeWrite();
        }
        case Intake.Refused(Refusal refusal) -> io.writeMessage(JobProtocol.refused(refusal));
      }
    } finally {
      // A requester that is gone needs no decision, and what was fetched so far stays.
      intake.interrupt();
    }
  }

  /// Files may have to be fetched first, which takes its time.
  private static Intake awaitDecision(BlockingStream io, CompletableFuture<Intake> decided)
      throws InterruptedException {
    while (true) {
      try {
        return decided.get(JobProtocol.ALIVE_EVERY.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        LOG.trace("a decision takes its time", e);
        alive(io);
      } catch (ExecutionException e) {
        throw new IllegalStateException("the intake of a job failed", e.getCause());
      }
    }
  }

  private void follow(
      Stream stream, BlockingStream io, JobView job, boolean known, long after, int milestonesKnown)
      throws InterruptedException {
    Hash id = job.id();
    followed.put(id, stream);
    JobEvents events = jobs.events(id, after).orElseThrow();
    AtomicBoolean over = new AtomicBoolean();
    Thread watcher =
        Thread.ofVirtual().name("job-stream").start(() -> watch(stream, io, id, events, over));
    Optional<Tariff> tariff = till.tariff(job.signed().job());
    TokenAmount due = TokenAmount.ZERO;
    // A milestone behind the last that was told; asked for only where there is more than one.
    boolean inMilestones =
        job.signed().job().task() instanceof Task.Train train && train.milestones() > 1;
    int milestone = milestonesKnown;
    try (events) {
      io.writeMessage(JobProtocol.accepted(job.state(), known, tariff));
      boolean told = false;
      while (true) {
        if (tariff.isPresent()) {
          due = tellDue(io, id, due);
        }
        if (inMilestones) {
          milestone = tellMilestones(io, id, milestone);
        }
        // The receipt stands behind the event that says completed; where that was heard before,
        // behind everything that is there to tell.
        boolean receiptDue = !told && jobs.receipt(id).isPresent();
        switch (events.next(receiptDue ? Duration.ZERO : JobProtocol.ALIVE_EVERY)) {
          case JobEvents.Next.Event(JobEvent event) -> {
            JobWire.Reply reply = JobProtocol.event(event);
            io.writeMessage(reply);
            if (reply.getEvent().getState().getName().equals(COMPLETED)) {
              if (tariff.isPresent()) {
                // Behind the receipt nobody listens.
                due = tellDue(io, id, due);
              }
              told = sendReceipt(io, id);
            }
          }
          case JobEvents.Next.Waiting _ -> {
            if (receiptDue) {
              told = sendReceipt(io, id);
            } else {
              alive(io);
            }
          }
          case JobEvents.Next.Ended _ -> {
            over.set(true);
            if (receiptDue) {
              sendReceipt(io, id);
            }
            if (inMilestones) {
              tellMilestones(io, id, milestone);
            }
            io.writeMessage(END);
            if (tariff.isPresent()) {
              // A voucher may be on its way, and is answered.
              watcher.join(FAREWELL);
            }
            io.closeWrite();
            return;
          }
        }
      }
    } catch (StreamResetException e) {
      // Whether it was meant to cancel the job, the watching thread finds out.
      throw e;
    } catch (RuntimeException e) {
      over.set(true);
      throw e;
    }
  }

  private TokenAmount tellDue(BlockingStream io, Hash id, TokenAmount told) {
    Optional<Due> due = till.due(id, told);
    due.ifPresent(d -> io.writeMessage(MoneyMessages.write(d)));
    return due.map(Due::amount).orElse(told);
  }

  /// Tells the milestones behind one that was told before.
  ///
  /// @return the number of the last that is told now
  private int tellMilestones(BlockingStream io, Hash id, int told) {
    int last = told;
    for (Optional<Milestones.Reached> next = milestones.next(id, last);
        next.isPresent();
        next = milestones.next(id, last)) {
      int number = next.get().number();
      inParts(
          next.get().receipt().toByteArray(),
          (total, part) ->
              io.writeMessage(
                  JobWire.Reply.newBuilder()
                      .setMilestone(
                          JobWire.Milestone.newBuilder()
                              .setNumber(number)
                              .setTotalBytes(total)
                              .setPart(part))
                      .build()));
      last = number;
    }
    return last;
  }

  /// Gets the parts of a `receipt.json`, in order.
  private interface PartReader {
    void read(long totalBytes, ByteString part);
  }

  private static void inParts(byte[] bytes, PartReader reader) {
    for (int at = 0; at < bytes.length; at += JobProtocol.RECEIPT_PART_BYTES) {
      int length = Math.min(JobProtocol.RECEIPT_PART_BYTES, bytes.length - at);
      reader.read(bytes.length, ByteString.copyFrom(bytes, at, length));
    }
  }

  /// Sends the receipt, if there is one.
  private boolean sendReceipt(BlockingStream io, Hash id) {
    Optional<byte[]> receipt = jobs.receipt(id);
    if (receipt.isEmpty()) {
      return false;
    }
    inParts(
        receipt.get(),
        (total, part) ->
            io.writeMessage(
                JobWire.Reply.newBuilder()
                    .setReceipt(JobWire.Receipt.newBuilder().setTotalBytes(total).setPart(part))
                    .build()));
    return true;
  }

  /// Takes the requester's payments, and sees it end the stream: a half-close lets go of the job, a
  /// reset over a connection that stays cancels it, a lost connection means nothing.
  private void watch(
      Stream stream, BlockingStream io, Hash id, JobEvents events, AtomicBoolean over) {
    Worth worth = new Worth();
    while (true) {
      try {
        if (!awaitSaying(io, id)) {
          over.set(true);
          break;
        }
        Optional<byte[]> said = io.readMessage(MoneyMessages.SAY_BYTES_MAX);
        said.ifPresent(bytes -> take(io, id, bytes, worth));
        if (worth.nothing > REFUSED_MAX || worth.again > AGAIN_MAX) {
          throw new PeerMisbehaviourException(
              JobProtocol.ID
                  + ": of what was said "
                  + worth.nothing
                  + " vouchers or approvals were worth nothing, and "
                  + worth.again
                  + " vouchers no higher than one before");
        }
      } catch (PeerMisbehaviourException e) {
        LOG.warn("the requester of job {} is let go: {}", id, e.getMessage());
        over.set(true);
        CompletableFuture<Void> _ = stream.connection().close(String.valueOf(e.getMessage()));
        break;
      } catch (Libp2pException e) {
        // Asked before the events are closed: their end is the end of the job for who sends them.
        boolean meant = !over.get();
        events.close();
        if (meant) {
          cancelIfMeant(stream, id, String.valueOf(e.getMessage()));
        }
        break;
      }
    }
    events.close();
    followed.remove(id, stream);
  }

  /// Waits as long as it takes; false at the stream's end.
  private static boolean awaitSaying(BlockingStream io, Hash id) {
    while (true) {
      try {
        return io.awaitReadable();
      } catch (StreamTimeoutException e) {
        LOG.trace("nothing is said on the stream of job {}", id, e);
      }
    }
  }

  /// What was said on one stream. Its vouchers grow, but for one that is said again; each is
  /// answered and costs a transaction of the store.
  private static final class Worth {
    private TokenAmount highest = TokenAmount.ZERO;
    private int again;
    private int nothing;
  }

  /// Takes a payment or an approval.
  private void take(BlockingStream io, Hash id, byte[] said, Worth worth) {
    switch (MoneyMessages.said(said)) {
      case MoneyMessages.Said.Pay(Payment payment) -> {
        TokenAmount amount = payment.voucher().voucher().amount();
        boolean grows = amount.compareTo(worth.highest) > 0;
        worth.highest = grows ? amount : worth.highest;
        Taking taking = till.take(id, payment);
        if (taking instanceof Taking.Refused(String sentence)) {
          LOG.warn("a voucher for job {} is worth nothing: {}", id, sentence);
        }
        worth.again += grows ? 0 : 1;
        worth.nothing += taking instanceof Taking.Taken ? 0 : 1;
        io.writeMessage(MoneyMessages.write(taking));
      }
      case MoneyMessages.Said.Approve(int milestone, Signature signature) -> {
        Optional<String> refusal = milestones.approve(id, milestone, signature);
        refusal.ifPresent(sentence -> {
          worth.nothing++;
          LOG.warn("an approval for job {} is worth nothing: {}", id, sentence);
        });
        io.writeMessage(MoneyMessages.approved(milestone, refusal));
      }
      case MoneyMessages.Said.Else _ -> {}
    }
  }

  private void cancelIfMeant(Stream stream, Hash id, String reason) {
    try {
      Thread.sleep(RESET_GRACE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    boolean last = stream.equals(followed.get(id));
    if (last && stream.connection().isOpen()) {
      LOG.info("job {} is called off: its requester has reset the stream ({})", id, reason);
      jobs.cancel(id);
    }
  }

  private static void alive(BlockingStream io) {
    io.writeMessage(
        JobWire.Reply.newBuilder().setAlive(JobWire.Alive.getDefaultInstance()).build());
  }

  private static void unknown(BlockingStream io) {
    io.writeMessage(
        JobWire.Reply.newBuilder().setUnknown(JobWire.Unknown.getDefaultInstance()).build());
  }

  private static void refuse(BlockingStream io, RefusalCode code, String sentence) {
    io.writeMessage(JobProtocol.refused(new Refusal(code, sentence)));
  }
}
