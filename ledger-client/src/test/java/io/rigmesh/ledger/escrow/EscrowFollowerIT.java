package io.rigmesh.ledger.escrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Events of a real chain, told in order and once, through restarts and reorganisations.
class EscrowFollowerIT {
  private static final TokenAmount PRICE = TokenAmount.of(1_000);

  @TempDir Path folder;
  private DevChain chain;
  private Party requester;
  private Party provider;
  private Deployment deployment;

  @BeforeEach
  void start() {
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    requester = party("requester");
    provider = party("provider");
    deployment = DevDeployment.standard().deploy(requester.sender(), Party.TIMEOUT);
  }

  @AfterEach
  void stop() {
    requester.close();
    provider.close();
    chain.close();
  }

  private Party party(String name) {
    AccountKey key = AccountKey.generate();
    chain.setBalance(key.address(), BigInteger.TEN.pow(18));
    return Party.open(
        key,
        folder.resolve(name + ".db"),
        chain.endpoint(),
        SenderSettings.development(),
        SendListener.NONE);
  }

  private static Hash jobId(String name) {
    return Digests.sha256(name.getBytes(StandardCharsets.UTF_8));
  }

  private Instant inAnHour() {
    return Instant.ofEpochSecond(requester.rpc().head().timestamp().getEpochSecond() + 3600);
  }

  private void fund(String job) {
    requester.escrow(deployment).fund(jobId(job), provider.address(), PRICE, inAnHour());
  }

  /// What a follower told, as short words.
  private static final class Told implements EscrowListener {
    private final BlockingQueue<String> words = new LinkedBlockingQueue<>();

    @Override
    public void happened(EscrowEvent event) {
      words.add(event.getClass().getSimpleName() + " " + event.job().jobId());
    }

    @Override
    public void takenBack(EscrowEvent event) {
      words.add("back " + event.getClass().getSimpleName() + " " + event.job().jobId());
    }

    void expect(String kind, String job) throws InterruptedException {
      assertThat(words.poll(30, TimeUnit.SECONDS)).isEqualTo(kind + " " + jobId(job));
    }

    void expectNothing() {
      assertThat(words).isEmpty();
    }
  }

  private EscrowFollower follow(Party party, FollowSettings settings, EscrowListener told) {
    return EscrowFollower.start(
        party.rpc(), party.jdbi(), deployment.escrow(), party.address(), settings, told);
  }

  /// Events are stored after they were told, so a test that was told looks until they are there.
  private static void awaitJobs(EscrowFollower follower, String... jobs) {
    List<Hash> expected = Stream.of(jobs).map(EscrowFollowerIT::jobId).toList();
    long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
    while (!jobsOf(follower).equals(expected) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(5_000_000);
    }
    assertThat(jobsOf(follower)).isEqualTo(expected);
  }

  private static List<Hash> jobsOf(EscrowFollower follower) {
    return follower.events().stream().map(event -> event.job().jobId()).toList();
  }

  @Test
  void bothPartiesHearOfTheirJobsAndOfNoOthers() throws Exception {
    Told toProvider = new Told();
    Told toRequester = new Told();
    FollowSettings settings = FollowSettings.development(deployment.block());
    try (EscrowFollower first = follow(provider, settings, toProvider);
        EscrowFollower second = follow(requester, settings, toRequester)) {
      requester
          .escrow(deployment)
          .fund(jobId("of another"), AccountKey.generate().address(), PRICE, inAnHour());
      fund("job");
      provider.escrow(deployment).accept(requester.address(), jobId("job"));
      provider
          .escrow(deployment)
          .submitProof(requester.address(), jobId("job"), jobId("root"), TokenAmount.of(600));
      requester.escrow(deployment).release(requester.address(), jobId("job"));
      fund("declined");
      provider.escrow(deployment).decline(requester.address(), jobId("declined"));

      toRequester.expect("Funded", "of another");
      for (Told told : new Told[] {toProvider, toRequester}) {
        told.expect("Funded", "job");
        told.expect("Accepted", "job");
        told.expect("ProofSubmitted", "job");
        told.expect("Released", "job");
        told.expect("Funded", "declined");
        told.expect("Refunded", "declined");
        told.expectNothing();
      }
      awaitJobs(first, "job", "job", "job", "job", "declined", "declined");
      awaitJobs(second, "of another", "job", "job", "job", "job", "declined", "declined");
      EscrowEvent.Released released =
          (EscrowEvent.Released)
              first.events().stream()
                  .filter(EscrowEvent.Released.class::isInstance)
                  .findFirst()
                  .orElseThrow();
      assertThat(released.amountPaid()).isEqualTo(TokenAmount.of(600));
      assertThat(released.amountReturned()).isEqualTo(TokenAmount.of(400));
    }
  }

  @Test
  void aRestartedFollowerGoesOnWhereItStoodAndReadsTheGapInSmallRanges() throws Exception {
    Told told = new Told();
    FollowSettings narrow = new FollowSettings(deployment.block(), 1, 3, Duration.ofMillis(50));
    try (EscrowFollower follower = follow(provider, narrow, told)) {
      fund("before");
      told.expect("Funded", "before");
      awaitJobs(follower, "before");
    }
    chain.request("anvil_mine", "0x14");
    fund("while away");
    chain.request("anvil_mine", "0x14");
    fund("while away too");
    try (EscrowFollower follower = follow(provider, narrow, told)) {
      told.expect("Funded", "while away");
      told.expect("Funded", "while away too");
      told.expectNothing();
      awaitJobs(follower, "before", "while away", "while away too");
    }
  }

  @Test
  void anEventWhoseListenerFailsIsToldAgain() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Told told = new Told();
    EscrowListener clumsy =
        new EscrowListener() {
          @Override
          public void happened(EscrowEvent event) {
            if (calls.getAndIncrement() == 0) {
              throw new IllegalStateException("the first time fails");
            }
            told.happened(event);
          }

          @Override
          public void takenBack(EscrowEvent event) {
            told.takenBack(event);
          }
        };
    fund("job");
    try (EscrowFollower follower =
        follow(provider, FollowSettings.development(deployment.block()), clumsy)) {
      told.expect("Funded", "job");
      assertThat(calls).hasValue(2);
      awaitJobs(follower, "job");
    }
  }

  @Test
  void aReorganisationTakesEventsBackAndTellsWhatTookTheirPlace() throws Exception {
    Told told = new Told();
    try (Party other = party("other");
        EscrowFollower follower =
            follow(provider, FollowSettings.development(deployment.block()), told)) {
      requester.token(deployment).transfer(other.address(), PRICE, "for the other");
      fund("stays");
      told.expect("Funded", "stays");
      String snapshot = chain.request("evm_snapshot").stringValue();
      fund("lost");
      told.expect("Funded", "lost");
      provider.escrow(deployment).accept(requester.address(), jobId("lost"));
      told.expect("Accepted", "lost");
      awaitJobs(follower, "stays", "lost", "lost");

      chain.request("evm_revert", snapshot);
      other.escrow(deployment).fund(jobId("instead"), provider.address(), PRICE, inAnHour());
      chain.request("anvil_mine", "0x8");

      told.expect("back Accepted", "lost");
      told.expect("back Funded", "lost");
      told.expect("Funded", "instead");
      awaitJobs(follower, "stays", "instead");
    }
  }

  @Test
  void nothingIsToldBeforeItsDepth() throws Exception {
    Told told = new Told();
    FollowSettings deep = new FollowSettings(deployment.block(), 4, 100, Duration.ofMillis(50));
    try (EscrowFollower follower = follow(provider, deep, told)) {
      fund("job");
      long funded = requester.rpc().head().number();
      chain.request("anvil_mine", "0x2");
      assertThat(told.words.poll(500, TimeUnit.MILLISECONDS)).isNull();
      chain.request("anvil_mine", "0x1");
      told.expect("Funded", "job");
      awaitJobs(follower, "job");
      assertThat(follower.events().get(0).place().blockNumber()).isEqualTo(funded);
    }
  }
}
