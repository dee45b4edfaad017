package io.rigmesh.node.network.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.libp2p.Host;
import io.rigmesh.node.jobs.Intake;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.Peers;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Market;
import io.rigmesh.node.pay.Milestones;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.pay.Till;
import io.rigmesh.node.requester.ProviderUnreachableException;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Both sides of a job's stream over real sockets; the jobs themselves are kept in memory.
class JobStreamIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Market MARKET =
      new Market(31_337, AccountKey.generate().address(), AccountKey.generate().address());
  private static final Hash BLOB = Hash.fromHex("11".repeat(32));

  private final AccountKey account = AccountKey.generate();
  private final Domain domain = new Domain(31_337, AccountKey.generate().address());
  private Till till = Till.NONE;
  private final KeptJobs kept = new KeptJobs();
  private final List<Host> hosts = new ArrayList<>();
  private Optional<Refusal> refusal = Optional.empty();
  private Host provider;
  private Host requester;
  private JobClient client;
  private SignedJob job;

  @BeforeEach
  void start() throws Exception {
    provider = host();
    new JobServer(
            kept,
            (signed, _, _) ->
                refusal.<Intake>map(Intake.Refused::new).orElseGet(() -> kept.take(signed)),
            (_, _) -> io.rigmesh.node.provider.Supply.NONE,
            domain,
            MARKET,
            till,
            Milestones.NONE)
        .serveOn(provider);
    requester = host();
    Peers.connect(requester, provider);
    client = client(requester, account);
    job =
        new Job(
                new Task.Generate(4, 0, 0, 1),
                BLOB,
                Profile.F32_V1,
                BLOB,
                1,
                TokenAmount.of(10),
                4_000_000_000L,
                account.address(),
                BigInteger.ONE)
            .sign(account, domain);
  }

  @AfterEach
  void stop() {
    hosts.forEach(Host::close);
  }

  private Host host() {
    Host host = Peers.start();
    hosts.add(host);
    return host;
  }

  private JobClient client(Host host, AccountKey key) {
    return new JobClient(
        Peers.streams(host), host.id(), key, domain, MARKET, new Blames((_, _) -> {}), PATIENCE);
  }

  private JobFeed submit() {
    return ((JobClient.Answer.Taken) client.submit(provider.id(), job, 4, 0, Optional.empty()))
        .feed();
  }

  private Hash id() {
    return job.job().id();
  }

  /// What comes next beside signs of life.
  private static JobFeed.Next told(JobFeed feed) {
    JobFeed.Next next = feed.next();
    while (next instanceof JobFeed.Next.Alive) {
      next = feed.next();
    }
    return next;
  }

  private static JobEvent event(JobFeed feed) {
    return ((JobFeed.Next.Event) told(feed)).event();
  }

  @Test
  void eventsComeInOrderThenTheReceiptThenTheEnd() {
    try (JobFeed feed = submit()) {
      assertThat(event(feed).data()).contains("matched");
      kept.say(id(), JobEvent.Type.PROGRESS, "{\"step\":1,\"total\":4,\"tokensPerSecond\":2.5}");
      String token =
          "{\"position\":3,\"id\":17,\"text\":\"é\",\"link\":\"%s\"}".formatted(BLOB.hex());
      kept.say(id(), JobEvent.Type.TOKEN, token);
      assertThat(event(feed).data()).isEqualTo("{\"step\":1,\"total\":4,\"tokensPerSecond\":2.5}");
      assertThat(event(feed).data()).isEqualTo(token);
      byte[] receipt = "r".repeat(700_000).getBytes(StandardCharsets.US_ASCII);
      kept.receive(id(), receipt);
      kept.enter(id(), new JobState.Completed());
      kept.enter(id(), new JobState.Settled());
      assertThat(event(feed).data()).contains("completed");
      assertThat(((JobFeed.Next.Receipt) told(feed)).json().toByteArray()).isEqualTo(receipt);
      assertThat(event(feed).data()).contains("settled");
      assertThat(told(feed)).isInstanceOf(JobFeed.Next.Ended.class);
    }
  }

  @Test
  void whoComesBackHearsOnlyWhatIsNewAndTheReceiptOnce() {
    submit().close();
    kept.receive(id(), new byte[] {1, 2, 3});
    long seen = kept.enter(id(), new JobState.Completed());
    var answer = (JobClient.Answer.Taken) client.follow(provider.id(), id(), seen);
    try (JobFeed feed = answer.feed()) {
      assertThat(feed.state()).isInstanceOf(JobState.Completed.class);
      assertThat(((JobFeed.Next.Receipt) told(feed)).json().toByteArray()).containsExactly(1, 2, 3);
      kept.enter(id(), new JobState.Settled());
      assertThat(event(feed).sequence()).isEqualTo(seen + 1);
      assertThat(told(feed)).isInstanceOf(JobFeed.Next.Ended.class);
    }
  }

  @Test
  void refusalArrivesWithItsCodeAndSentence() {
    refusal = Optional.of(new Refusal(RefusalCode.BUSY, "the queue is full"));
    assertThat(client.submit(provider.id(), job, 4, 0, Optional.empty()))
        .isEqualTo(new JobClient.Answer.Refused(refusal.get()));
  }

  @Test
  void peerWithoutTheRequestersPassIsRefusedAndLearnsNothing() throws Exception {
    submit().close();
    Host thief = host();
    Peers.connect(thief, provider);
    // It has the signed job, and can sign passes with its own key only.
    JobClient stolen = client(thief, AccountKey.generate());
    assertThat(stolen.submit(provider.id(), job, 4, 0, Optional.empty()))
        .isInstanceOfSatisfying(
            JobClient.Answer.Refused.class,
            refused -> assertThat(refused.refusal().code()).isEqualTo(RefusalCode.BAD_SIGNATURE));
    assertThat(stolen.follow(provider.id(), id(), 0)).isInstanceOf(JobClient.Answer.Unknown.class);
    stolen.cancel(provider.id(), id());
    assertThat(kept.cancelled()).isEmpty();
  }

  @Test
  void resetOverAConnectionThatStaysCancelsTheJob() throws Exception {
    JobFeed feed = submit();
    event(feed);
    feed.cancel();
    Peers.await("the job is called off", () -> kept.cancelled().contains(id()));
  }

  @Test
  void cancelInWordsCancelsTheJob() {
    submit().close();
    client.cancel(provider.id(), id());
    assertThat(kept.cancelled()).containsExactly(id());
  }

  @Test
  void lostConnectionAndAClosedStreamCancelNothing() throws Exception {
    JobFeed feed = submit();
    event(feed);
    requester.connections(provider.id()).forEach(c -> c.close("cut by the test"));
    Peers.await("the connection is gone", () -> provider.connections(requester.id()).isEmpty());
    Peers.connect(requester, provider);
    submit().close();
    // Longer than a reset is given to prove that it was meant.
    long end = System.nanoTime() + Duration.ofMillis(2_500).toNanos();
    Peers.await("that long", () -> System.nanoTime() > end);
    assertThat(kept.cancelled()).isEmpty();
    try (JobFeed again = submit()) {
      assertThat(event(again).data()).contains("matched");
    }
  }

  /// Each costs the provider a transaction of its store, and nothing comes of it.
  @Test
  void vouchersThatNeverGrowEndTheConnectionAfterMany() throws Exception {
    AtomicInteger taken = new AtomicInteger();
    Till takes =
        new Till() {
          @Override
          public Optional<Tariff> tariff(Job of) {
            return Optional.empty();
          }

          @Override
          public Optional<Due> due(Hash of, TokenAmount told) {
            return Optional.empty();
          }

          @Override
          public Taking take(Hash of, Payment payment) {
            taken.incrementAndGet();
            return new Taking.Taken(TokenAmount.ZERO, payment.voucher().voucher().amount());
          }
        };
    Host paid = host();
    new JobServer(
            kept,
            (signed, _, _) -> kept.take(signed),
            (_, _) -> io.rigmesh.node.provider.Supply.NONE,
            domain,
            MARKET,
            takes,
            Milestones.NONE)
        .serveOn(paid);
    Peers.connect(requester, paid);
    Voucher voucher = new Voucher(BLOB, TokenAmount.of(7), BLOB);
    Payment same =
        new Payment(
            new SignedVoucher(voucher, account.sign(voucher.typedData().digest(domain))),
            0,
            List.of());
    JobFeed feed =
        ((JobClient.Answer.Taken) client.submit(paid.id(), job, 4, 0, Optional.empty())).feed();
    for (int i = 0; i < 300; i++) {
      try {
        feed.pay(same);
      } catch (ProviderUnreachableException e) {
        break;
      }
    }
    Peers.await("the connection is gone", () -> paid.connections(requester.id()).isEmpty());
    assertThat(taken.get()).isBetween(100, 260);
  }
}
