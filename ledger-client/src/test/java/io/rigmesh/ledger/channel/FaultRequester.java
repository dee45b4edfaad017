package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.LongConsumer;

/// The requester of a schedule. It works through the seed's jobs: reserves, has them admitted, pays
/// step by step with payments that get lost, come late, twice or in another order, leaves channels
/// and closes them; and beside that it pays a training in milestones.
///
/// It may be killed anywhere and begun again on its store: only what that holds is known then, and
/// all that was done is found. A run has a number, by which its payments get lost in another way
/// than in the run before.
final class FaultRequester implements AutoCloseable {
  private static final Duration CALL_MAX = Duration.ofSeconds(60);

  private final FaultSchedule schedule;
  private final FaultNode node;
  private final FaultSteps steps;
  private final FaultNode.Place place;
  private final LongConsumer leaving;
  private final LongConsumer over;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final Address provider;
  private final PayerBook book;
  private final Random random;
  private final List<Payment> late = new ArrayList<>();

  /// The requester on its node.
  ///
  /// @param leaving is told when the challenge time of a channel ends that is being left
  /// @param over is told that a challenge time may end now: everything was handed in
  FaultRequester(
      FaultSchedule schedule,
      int run,
      FaultNode node,
      FaultSteps steps,
      FaultNode.Place place,
      LongConsumer leaving,
      LongConsumer over) {
    this.schedule = schedule;
    this.node = node;
    this.steps = steps;
    this.place = place;
    this.leaving = leaving;
    this.over = over;
    this.provider = schedule.key(FaultSchedule.Side.PROVIDER).address();
    this.book = node.channels().payer;
    this.random = new Random(schedule.seed() * 31 + run);
  }

  /// Does everything that is not done yet.
  void work() throws InterruptedException {
    FutureTask<Boolean> training = new FutureTask<>(this::train, true);
    Thread.ofPlatform().name("training").daemon().start(training);
    List<ChannelTerms> used = new ArrayList<>();
    for (FaultSchedule.Work job : schedule.jobs()) {
      used.add(work(job));
      // By its own clock, which is wrong: what it is early for is refused, and asked for again.
      book.closeDue();
    }
    closeLeft();
    // What is late arrives now, and the newest once more, as on the next stream.
    late.forEach(this::deliver);
    used.forEach(this::deliverNewest);
    try {
      training.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the training failed", e.getCause());
    }
  }

  private ChannelTerms work(FaultSchedule.Work job) {
    TokenAmount price = TokenAmount.of(job.price());
    boolean begun = book.paid(job.id()).compareTo(price) < 0;
    ChannelTerms terms = begun ? reserve(job) : book.channelOf(job.id()).orElseThrow();
    if (isClosed(terms)) {
      return terms;
    }
    while (book.paid(job.id()).compareTo(price) < 0) {
      pay(job, terms);
    }
    deliverNewest(terms);
    call("end", job.id().hex(), price.units().toString());
    steps.step("a job that has ended and is not released");
    book.release(job.id());
    if (job.leaves()) {
      closeLeft();
      leave(terms);
    }
    return terms;
  }

  private long leave(ChannelTerms terms) {
    long closesAt =
        FaultNode.retry(() -> {
          book.leave(terms.id());
          return closesAt(terms);
        });
    leaving.accept(closesAt);
    return closesAt;
  }

  private void pay(FaultSchedule.Work job, ChannelTerms terms) {
    TokenAmount paid = book.paid(job.id());
    long left = job.price() - paid.units().longValueExact();
    long step = Math.min(left, job.price() / job.steps() + 1);
    call("owe", job.id().hex(), Long.toString(job.price() - left + step));
    List<Hash> receipts = step == left ? List.of(hash("receipt of " + job.id())) : List.of();
    Payment payment = book.pay(terms.id(), job.id(), TokenAmount.of(step), receipts);
    steps.step("a payment that nobody has got yet");
    switch (random.nextInt(4)) {
      case 0 -> {} // Lost.
      case 1 -> late.add(payment);
      case 2 -> {
        deliver(payment);
        deliver(payment);
      }
      default -> deliver(payment);
    }
    for (Iterator<Payment> i = late.iterator(); i.hasNext(); ) {
      Payment old = i.next();
      if (random.nextInt(3) == 0) {
        deliver(old);
        i.remove();
      }
    }
  }

  /// A channel that both sides see. One that the provider does not know yet is not deep enough.
  private ChannelTerms reserve(FaultSchedule.Work job) {
    TokenAmount priceMax = TokenAmount.of(job.priceMax());
    return FaultNode.retry(() -> {
      ChannelTerms terms = book.reserve(provider, job.id(), priceMax, LATER);
      ask("admit", job.id().hex(), priceMax.units().toString(), FaultWords.of(terms));
      return terms;
    });
  }

  /// Closes what is being left, once the provider has handed everything in: that it does so before
  /// the challenge time is over is what the time is for, and the chain is close to its end.
  private void closeLeft() {
    late.forEach(this::deliver);
    late.clear();
    for (PayerChannel left : book.channels()) {
      ChannelTerms terms = left.channel().terms();
      if (left.state() != PayerChannel.State.LEAVING || isClosed(terms)) {
        continue;
      }
      deliverNewest(terms);
      long closesAt = leave(terms);
      FaultNode.retry(() -> {
        Channel now = read(terms);
        FaultNode.require(now.redeemed().equals(left.spent()), "not handed in yet: " + now);
        return true;
      });
      over.accept(closesAt);
      FaultNode.retry(() -> {
        FaultNode.require(
            node.channels().party.rpc().head().timestamp().getEpochSecond() > closesAt,
            "the challenge time is not over");
        node.channels().client.close(terms);
        book.closeDue();
        FaultNode.require(isClosed(terms), "the book has not seen it closed");
        return true;
      });
    }
  }

  private Channel read(ChannelTerms terms) {
    return node.channels()
        .client
        .read(terms)
        .channel()
        .orElseThrow(() -> new LedgerException("no channel at this depth"));
  }

  /// When the challenge time ends; long ago for a channel that is closed, which a run before this
  /// one may have begun.
  private long closesAt(ChannelTerms terms) {
    Channel now = read(terms);
    if (now.closed()) {
      return 0;
    }
    return now.closesAt()
        .orElseThrow(() -> new LedgerException("it is not being closed at this depth"))
        .getEpochSecond();
  }

  private boolean isClosed(ChannelTerms terms) {
    return book.channels().stream()
        .anyMatch(c -> c.channel().terms().equals(terms) && c.channel().closed());
  }

  private void train() {
    FaultSchedule.Training job = schedule.training();
    AccountKey key = schedule.key(FaultSchedule.Side.REQUESTER);
    Address me = key.address();
    String id = job.id().hex();
    Acceptance acceptance =
        new Acceptance(
            job.id(),
            me,
            provider,
            TokenAmount.of(job.amount()),
            place.startSeconds() + Duration.ofDays(365).toSeconds(),
            job.milestones());
    Signature accepted =
        Signature.fromHex(
            call(
                "accept",
                id,
                me.hex(),
                provider.hex(),
                Long.toString(job.amount()),
                Long.toString(acceptance.deadlineSeconds()),
                Integer.toString(job.milestones())));
    FaultNode.retry(() -> node.escrow().fundAccepted(acceptance, accepted));
    for (int i = 0; i < job.parts().size(); i++) {
      FaultSchedule.Part part = job.parts().get(i);
      int milestone = i + 1;
      Hash root = hash("root " + milestone + " of " + id);
      String number = Integer.toString(milestone);
      String due = Long.toString(part.due());
      steps.step("a milestone that is done and not paid");
      if (part.approved()) {
        Approval approval =
            new Approval(job.id(), provider, milestone, root, TokenAmount.of(part.due()));
        Signature signature = approval.sign(key, node.escrow().domain());
        call("settle", me.hex(), id, provider.hex(), number, root.hex(), due, signature.hex());
      } else {
        call("prove", me.hex(), id, number, root.hex(), due);
        FaultNode.retry(() -> node.escrow().release(me, job.id(), milestone));
      }
    }
    if (job.parts().size() < job.milestones()) {
      call("decline", me.hex(), id);
    }
  }

  private void deliver(Payment payment) {
    Hash id = payment.voucher().voucher().channel();
    try {
      call("take", FaultWords.of(payment));
    } catch (IllegalStateException e) {
      // A channel whose closing was under way when this run began needs it no more.
      ChannelTerms terms =
          book.channels().stream()
              .map(c -> c.channel().terms())
              .filter(t -> t.id().equals(id))
              .findFirst()
              .orElseThrow();
      Channel now = FaultNode.retry(() -> read(terms));
      if (!now.closed() || now.redeemed().compareTo(payment.voucher().voucher().amount()) < 0) {
        throw e;
      }
    }
  }

  private void deliverNewest(ChannelTerms terms) {
    Optional<Payment> newest = book.latest(terms.id());
    if (newest.isPresent() && !isClosed(terms)) {
      deliver(newest.get());
    }
  }

  private String call(String what, String... words) {
    return FaultNode.retry(() -> ask(what, words));
  }

  private String ask(String what, String... words) {
    String answer;
    try {
      URI uri =
          URI.create(
              "http://127.0.0.1:"
                  + Files.readString(FaultProvider.portFile(place.folder()))
                  + "/"
                  + what);
      answer =
          client
              .send(
                  HttpRequest.newBuilder(uri)
                      .timeout(CALL_MAX)
                      .POST(HttpRequest.BodyPublishers.ofString(String.join(" ", words)))
                      .build(),
                  HttpResponse.BodyHandlers.ofString())
              .body();
    } catch (IOException e) {
      throw new LedgerException("the provider does not answer when asked to " + what, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    if (answer.startsWith(FaultProvider.NEVER)) {
      throw new IllegalStateException("asked to " + what + ", the provider says " + answer);
    }
    if (!answer.startsWith(FaultProvider.DONE)) {
      throw new LedgerException("asked to " + what + ", the provider says " + answer);
    }
    return answer.substring(FaultProvider.DONE.length());
  }

  @Override
  public void close() {
    client.shutdownNow();
    node.close();
  }
}
