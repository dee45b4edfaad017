package io.rigmesh.ledger;

import io.rigmesh.ledger.channel.Admission;
import io.rigmesh.ledger.channel.Channel;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.PayerSettings;
import io.rigmesh.ledger.channel.Redemption;
import io.rigmesh.ledger.channel.RedemptionSettings;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// A node in small, as its own process: it deploys, walks two jobs from funding to release, pays
/// two more through a channel, which is topped up, redeemed and closed, and knows nothing of
/// earlier runs but what the stores hold. At the step that it is told, it says so and stops for its
/// parent to kill it.
///
/// Arguments: the folder of the stores, the RPC endpoint, the requester's and the provider's secret
/// keys, and where to stop as `KEY_PREFIX@STEP`, or `nowhere`.
public final class CrashChild {
  static final TokenAmount PRICE = TokenAmount.of(1_000_000);
  static final TokenAmount DUE = TokenAmount.of(700_000);

  /// What a channel is opened with, and topped up by.
  static final TokenAmount DEPOSIT = TokenAmount.of(1_000_000);

  /// What each of two jobs costs that are paid through it.
  static final TokenAmount ANSWER = TokenAmount.of(800_000);

  private static final Instant LATER = Instant.parse("2100-01-01T00:00:00Z");

  /// Everything is handed in as soon as it is looked at.
  private static final RedemptionSettings AT_ONCE =
      new RedemptionSettings(
          0, BigDecimal.TEN.pow(9), 100, Duration.ofMillis(200), Duration.ofMillis(500));

  static final String STOPPED = "stopped at ";
  static final String DONE = "done";

  private CrashChild() {}

  static Hash jobId(String name) {
    return Digests.sha256(name.getBytes(StandardCharsets.US_ASCII));
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    URI endpoint = URI.create(arguments[1]);
    AccountKey requesterKey = AccountKey.fromHex(arguments[2]);
    AccountKey providerKey = AccountKey.fromHex(arguments[3]);
    String stopAt = arguments[4];
    SendListener stop =
        (step, key) -> {
          int at = stopAt.indexOf('@');
          if (at > 0
              && key.startsWith(stopAt.substring(0, at))
              && step.name().equals(stopAt.substring(at + 1))) {
            System.out.println(STOPPED + key + "@" + step);
            System.out.flush();
            while (true) {
              LockSupport.park();
            }
          }
        };
    SenderSettings settings = SenderSettings.development();
    try (Party requester =
            Party.open(requesterKey, folder.resolve("requester.db"), endpoint, settings, stop);
        Party provider =
            Party.open(providerKey, folder.resolve("provider.db"), endpoint, settings, stop)) {
      Deployment deployment = DevDeployment.standard().deploy(requester.sender(), Party.TIMEOUT);
      // A node fixes a job's deadline once, when it takes the job in.
      Instant deadline = deadline(folder.resolve("deadline"), requester);
      Address account = requester.address();
      EscrowClient asRequester = requester.escrow(deployment);
      EscrowClient asProvider = provider.escrow(deployment);
      for (String name : new String[] {"a", "b"}) {
        Hash job = jobId(name);
        asRequester.fund(job, provider.address(), PRICE, deadline, 1);
        asProvider.accept(account, job);
        asProvider.submitProof(account, job, 1, jobId("root of " + name), DUE);
        asRequester.release(account, job, 1);
      }
      deployment.write(folder.resolve("deployment.json"));
      walkAChannel(requester, provider, deployment);
    }
    System.out.println(DONE);
  }

  private static void walkAChannel(Party requester, Party provider, Deployment deployment) {
    ChannelClient asPayer = channels(requester, deployment);
    ChannelClient asPayee = channels(provider, deployment);
    Clock clock = Clock.systemUTC();
    PayerBook payer = payerBook(requester, deployment);
    PayeeBook payee =
        new PayeeBook(provider.jdbi(), asPayee, provider.address(), deployment.token(), clock);
    for (String name : List.of("c", "d")) {
      Hash job = jobId(name);
      if (payer.paid(job).equals(ANSWER)) {
        continue;
      }
      ChannelTerms terms = payer.reserve(provider.address(), job, ANSWER, LATER);
      payer.pay(terms.id(), job, ANSWER, List.of(jobId("receipt of " + name)));
    }
    ChannelTerms terms = payer.channels().getFirst().channel().terms();
    TokenAmount both = ANSWER.plus(ANSWER);
    if (payee.channels().stream().noneMatch(known -> known.promised().equals(both))) {
      require(payee.admit(terms, jobId("d"), ANSWER, LATER) instanceof Admission.Admitted);
      payee.owe(jobId("d"), ANSWER);
      require(payee.take(payer.latest(terms.id()).orElseThrow()) instanceof Taking.Taken);
    }
    try (Redemption redemption = Redemption.start(payee, asPayee, AT_ONCE, clock)) {
      await(() -> {
        redemption.redeemAll();
        return payee.channels().stream()
            .allMatch(known -> known.channel().redeemed().equals(known.promised()));
      });
    }
    payer.leave(terms.id());
    Channel left = asPayer.channel(terms).orElseThrow();
    if (!left.closed()) {
      Instant closesAt = left.closesAt().orElseThrow();
      await(() -> !requester.rpc().head().timestamp().isBefore(closesAt));
    }
    asPayer.close(terms);
  }

  static ChannelClient channels(Party party, Deployment deployment) {
    return new ChannelClient(
        party.sender(), party.token(deployment), deployment.channels(), 1, Party.TIMEOUT);
  }

  static PayerBook payerBook(Party requester, Deployment deployment) {
    return new PayerBook(
        requester.jdbi(),
        channels(requester, deployment),
        requester.signer(),
        requester.address(),
        deployment.token(),
        new PayerSettings(DEPOSIT),
        Clock.systemUTC());
  }

  private static void require(boolean condition) {
    if (!condition) {
      throw new IllegalStateException("the payee refuses what it should take");
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("it did not happen in time");
      }
      LockSupport.parkNanos(20_000_000);
    }
  }

  private static Instant deadline(Path file, Party requester) throws Exception {
    if (!Files.exists(file)) {
      long seconds = requester.rpc().head().timestamp().getEpochSecond() + 86_400;
      Files.writeString(file, Long.toString(seconds));
    }
    return Instant.ofEpochSecond(Long.parseLong(Files.readString(file)));
  }
}
