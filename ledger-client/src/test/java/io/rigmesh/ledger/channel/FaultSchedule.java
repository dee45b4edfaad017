package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/// A requester and a provider that work through a seed's jobs over endpoints that fail: reserve,
/// admit, pay step by step with payments that get lost, late or in another order, hand in, top up.
/// It may be ended anywhere, by an exception or a signal, and begun again on its stores: only what
/// they hold is known then, and all that was done is found.
final class FaultSchedule {
  /// A reorganisation of the deepest kind does not reach what is confirmed.
  static final int CONFIRMATIONS = FaultyChain.DEPTH_MAX + 1;

  private static final Duration STEP_MAX = Duration.ofMinutes(5);
  private static final BigInteger GWEI = BigInteger.TEN.pow(9);

  /// A process ends here. An error, so that nothing on the way takes it for something to go on
  /// from.
  static final class Crash extends Error {
    private static final long serialVersionUID = 1L;

    Crash(String at) {
      super(at);
    }
  }

  private final long seed;
  private final Path folder;
  private final Deployment deployment;
  private final AccountKey requesterKey;
  private final AccountKey providerKey;
  private final URI requesterEndpoint;
  private final URI providerEndpoint;

  /// Steps until a crash; below zero for none.
  private int stepsToCrash = -1;

  FaultSchedule(
      long seed,
      Path folder,
      Deployment deployment,
      AccountKey requesterKey,
      AccountKey providerKey,
      URI requesterEndpoint,
      URI providerEndpoint) {
    this.seed = seed;
    this.folder = folder;
    this.deployment = deployment;
    this.requesterKey = requesterKey;
    this.providerKey = providerKey;
    this.requesterEndpoint = requesterEndpoint;
    this.providerEndpoint = providerEndpoint;
  }

  /// One job of the seed's.
  ///
  /// @param id its hash
  /// @param price what it costs in the end
  /// @param priceMax what it may cost
  /// @param steps in how many payments
  /// @param leaves true if its channel is left afterwards
  record Work(Hash id, long price, long priceMax, int steps, boolean leaves) {}

  /// The seed's jobs, the same each time.
  static List<Work> jobs(long seed) {
    Random random = new Random(seed);
    List<Work> jobs = new ArrayList<>();
    int count = 3 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      long price = 1 + random.nextInt(900_000);
      jobs.add(
          new Work(
              hash("job " + i + " of " + seed),
              price,
              price + random.nextInt(300_000),
              1 + random.nextInt(4),
              random.nextInt(4) == 0));
    }
    return jobs;
  }

  /// What all jobs cost.
  static long price(long seed) {
    return jobs(seed).stream().mapToLong(Work::price).sum();
  }

  /// Lets this process end after so many steps of a transaction or of a job.
  void crashAfter(int steps) {
    stepsToCrash = steps;
  }

  /// A step of the thread that works: here the process may end.
  private void step(String at) {
    if (stepsToCrash == 0) {
      stepsToCrash = -1;
      throw new Crash(at);
    }
    stepsToCrash = Math.max(-1, stepsToCrash - 1);
  }

  /// Ends the process within a transaction's steps, as far as the thread that works does them.
  private SendListener steps() {
    Thread worker = Thread.currentThread();
    return (step, key) -> {
      if (Thread.currentThread() == worker) {
        step(step + " of " + key);
      }
    };
  }

  /// Works through the jobs. A run has a number, by which its payments get lost in another way than
  /// in the run before.
  void work(int run) {
    Random random = new Random(seed * 31 + run);
    try (ChannelParty requester = open("requester", steps(), random);
        ChannelParty provider = open("provider", steps(), random)) {
      List<Payment> late = new ArrayList<>();
      List<ChannelTerms> used = new ArrayList<>();
      for (Work job : jobs(seed)) {
        work(job, requester, provider, late, used, random);
      }
      // What is late arrives now, and the newest once more, as on the next stream.
      late.forEach(payment -> deliver(provider, payment));
      for (ChannelTerms terms : used) {
        deliver(provider, requester.payer.latest(terms.id()).orElseThrow());
      }
    }
  }

  private void work(
      Work job,
      ChannelParty requester,
      ChannelParty provider,
      List<Payment> late,
      List<ChannelTerms> used,
      Random random) {
    TokenAmount price = TokenAmount.of(job.price());
    TokenAmount priceMax = TokenAmount.of(job.priceMax());
    ChannelTerms terms;
    if (requester.payer.paid(job.id()).equals(price)) {
      terms = requester.payer.channelOf(job.id()).orElseThrow();
    } else {
      terms = reserve(job, requester, provider, priceMax);
    }
    used.add(terms);
    while (requester.payer.paid(job.id()).compareTo(price) < 0) {
      TokenAmount paid = requester.payer.paid(job.id());
      long left = job.price() - paid.units().longValueExact();
      long step = Math.min(left, job.price() / job.steps() + 1);
      provider.payee.owe(job.id(), TokenAmount.of(job.price() - left + step));
      List<Hash> receipts = step == left ? List.of(hash("receipt of " + job.id())) : List.of();
      Payment payment = requester.payer.pay(terms.id(), job.id(), TokenAmount.of(step), receipts);
      step("a payment that nobody has got yet");
      switch (random.nextInt(4)) {
        case 0 -> {} // Lost.
        case 1 -> late.add(payment);
        case 2 -> {
          deliver(provider, payment);
          deliver(provider, payment);
        }
        default -> deliver(provider, payment);
      }
      for (Iterator<Payment> i = late.iterator(); i.hasNext(); ) {
        Payment old = i.next();
        if (random.nextInt(3) == 0) {
          deliver(provider, old);
          i.remove();
        }
      }
    }
    deliver(provider, requester.payer.latest(terms.id()).orElseThrow());
    try {
      provider.payee.owe(job.id(), price);
    } catch (ChannelException e) {
      // It ended in an earlier run.
    }
    step("a job that is paid and has not ended");
    provider.payee.end(job.id());
    step("a job that has ended and is not released");
    requester.payer.release(job.id());
    if (job.leaves()) {
      // What it promises must be handed in before the challenge time is over.
      retry(() -> {
        requester.payer.leave(terms.id());
        return true;
      });
    }
  }

  /// A channel that both sides see. One that the provider does not know yet is not deep enough.
  private ChannelTerms reserve(
      Work job, ChannelParty requester, ChannelParty provider, TokenAmount priceMax) {
    return retry(() -> {
      ChannelTerms terms =
          requester.payer.reserve(providerKey.address(), job.id(), priceMax, LATER);
      Admission admission = admit(provider, terms, job, priceMax);
      if (admission instanceof Admission.Refused refused) {
        throw new LedgerException(refused.refusal().sentence());
      }
      return terms;
    });
  }

  private static Admission admit(
      ChannelParty provider, ChannelTerms terms, Work job, TokenAmount priceMax) {
    Admission admission = provider.payee.admit(terms, job.id(), priceMax, LATER);
    if (admission instanceof Admission.Refused refused) {
      throw new LedgerException(refused.refusal().sentence());
    }
    return admission;
  }

  private static void deliver(ChannelParty provider, Payment payment) {
    Taking taking = retry(() -> provider.payee.take(payment));
    if (!(taking instanceof Taking.Taken)) {
      throw new IllegalStateException("A good voucher is taken, and not: " + taking);
    }
  }

  /// Does something again until it works: what fails by the chain's fault is to be asked for again.
  static <T> T retry(Supplier<T> step) {
    long deadline = System.nanoTime() + STEP_MAX.toNanos();
    while (true) {
      try {
        return step.get();
      } catch (ChannelException e) {
        throw e;
      } catch (LedgerException e) {
        if (System.nanoTime() - deadline > 0) {
          throw new IllegalStateException("still fails after " + STEP_MAX, e);
        }
        LockSupport.parkNanos(20_000_000L);
      }
    }
  }

  /// A node of one side on its store.
  ChannelParty open(String name, SendListener steps, Random random) {
    boolean isRequester = name.equals("requester");
    SenderSettings settings =
        new SenderSettings(
            CONFIRMATIONS,
            GWEI.multiply(BigInteger.valueOf(200)),
            25,
            Duration.ofSeconds(2),
            Duration.ofMillis(50));
    RpcSettings rpc =
        new RpcSettings(
            31_337,
            List.of(isRequester ? requesterEndpoint : providerEndpoint),
            Duration.ofSeconds(5),
            Duration.ofSeconds(10));
    Clock clock = jumping(random.nextInt(7_200) - 3_600);
    Party party =
        retry(() ->
            Party.open(
                isRequester ? requesterKey : providerKey,
                folder.resolve(name + ".db"),
                rpc,
                settings,
                steps,
                clock));
    return new ChannelParty(
        party,
        deployment,
        party.address(),
        CONFIRMATIONS,
        ChannelParty.EAGER,
        Duration.ofSeconds(10),
        clock);
  }

  /// A clock that is wrong by so many seconds: each start has another.
  private static Clock jumping(long seconds) {
    return new Clock() {
      @Override
      public ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return Instant.now().plusSeconds(seconds);
      }
    };
  }
}
