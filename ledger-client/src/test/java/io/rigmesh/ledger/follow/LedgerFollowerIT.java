package io.rigmesh.ledger.follow;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.escrow.EscrowEvent;
import io.rigmesh.ledger.escrow.EscrowEvents;
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
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jdbi.v3.core.Handle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Events of a real chain, told in order and once, through restarts and reorganisations.
class LedgerFollowerIT {
  private static final TokenAmount PRICE = TokenAmount.of(1_000);

  @TempDir Path folder;
  private DevChain chain;
  private Party requester;
  private Party provider;
  private Deployment deployment;

  @BeforeEach
  void start() {
    chain = TestChain.start();
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
    requester.escrow(deployment).fund(jobId(job), provider.address(), PRICE, inAnHour(), 1);
  }

  /// What a follower told and has committed, as short words.
  private static final class Told implements EventListener<EscrowEvent> {
    private final BlockingQueue<String> words = new LinkedBlockingQueue<>();

    @Override
    public void happened(Handle transaction, EscrowEvent event) {
      transaction.afterCommit(() -> words.add(word(event)));
    }

    @Override
    public void takenBack(Handle transaction, EscrowEvent event) {
      transaction.afterCommit(() -> words.add("back " + word(event)));
    }

    @Override
    public void forgotten(Handle transaction) {
      transaction.afterCommit(() -> words.add("forgotten"));
    }

    void expect(String kind, String job) throws InterruptedException {
      assertThat(words.poll(120, TimeUnit.SECONDS)).isEqualTo(kind + " " + jobId(job));
    }

    void expectNothing() {
      assertThat(words).isEmpty();
    }
  }

  private static String word(EscrowEvent event) {
    return event.getClass().getSimpleName() + " " + event.job().jobId();
  }

  private EscrowEvents eventsOf(Party party) {
    return new EscrowEvents(deployment.escrow(), List.of(party.address()));
  }

  private LedgerFollower follow(
      Party party, FollowSettings settings, EventListener<EscrowEvent> told) {
    return LedgerFollower.start(
        party.rpc(),
        party.jdbi(),
        "test",
        List.of(new Followed<>(eventsOf(party), told)),
        settings);
  }

  private void expectStored(LedgerFollower follower, Party party, String... jobs) {
    assertThat(follower.newest(eventsOf(party), Optional.empty(), 100).reversed())
        .extracting(event -> event.job().jobId())
        .containsExactly(Stream.of(jobs).map(LedgerFollowerIT::jobId).toArray(Hash[]::new));
  }

  @Test
  void bothPartiesHearOfTheirJobsAndOfNoOthers() throws Exception {
    Told toProvider = new Told();
    Told toRequester = new Told();
    FollowSettings settings = FollowSettings.development(deployment.block());
    try (LedgerFollower first = follow(provider, settings, toProvider);
        LedgerFollower second = follow(requester, settings, toRequester)) {
      requester
          .escrow(deployment)
          .fund(jobId("of another"), AccountKey.generate().address(), PRICE, inAnHour(), 1);
      fund("job");
      provider.escrow(deployment).accept(requester.address(), jobId("job"));
      provider
          .escrow(deployment)
          .submitProof(requester.address(), jobId("job"), 1, jobId("root"), TokenAmount.of(600));
      requester.escrow(deployment).release(requester.address(), jobId("job"), 1);
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
      expectStored(first, provider, "job", "job", "job", "job", "declined", "declined");
      expectStored(
          second, requester, "of another", "job", "job", "job", "job", "declined", "declined");
      EscrowEvent.Released released =
          (EscrowEvent.Released)
              first.newest(eventsOf(provider), Optional.empty(), 100).stream()
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
    try (LedgerFollower follower = follow(provider, narrow, told)) {
      fund("before");
      told.expect("Funded", "before");
      expectStored(follower, provider, "before");
    }
    TestChain.mine(chain, 20);
    fund("while away");
    TestChain.mine(chain, 20);
    fund("while away too");
    try (LedgerFollower follower = follow(provider, narrow, told)) {
      told.expect("Funded", "while away");
      told.expect("Funded", "while away too");
      told.expectNothing();
      expectStored(follower, provider, "before", "while away", "while away too");
    }
  }

  @Test
  void whatAListenerWroteBeforeItFailedHasNotHappenedAndTheEventIsToldAgain() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Told told = new Told();
    EventListener<EscrowEvent> clumsy =
        new EventListener<>() {
          @Override
          public void happened(Handle transaction, EscrowEvent event) {
            transaction.execute("INSERT INTO seen VALUES (?)", event.job().jobId().hex());
            if (calls.getAndIncrement() == 0) {
              throw new IllegalStateException("the first time fails");
            }
            told.happened(transaction, event);
          }

          @Override
          public void takenBack(Handle transaction, EscrowEvent event) {
            told.takenBack(transaction, event);
          }

          @Override
          public void forgotten(Handle transaction) {
            told.forgotten(transaction);
          }
        };
    provider.jdbi().useHandle(handle -> handle.execute("CREATE TABLE seen (job TEXT)"));
    fund("job");
    try (LedgerFollower follower =
        follow(provider, FollowSettings.development(deployment.block()), clumsy)) {
      told.expect("Funded", "job");
      assertThat(calls).hasValue(2);
      expectStored(follower, provider, "job");
      assertThat(
              provider
                  .jdbi()
                  .<Integer, RuntimeException>withHandle(handle ->
                      handle.createQuery("SELECT count(*) FROM seen").mapTo(Integer.class).one()))
          .isEqualTo(1);
    }
  }

  @Test
  void whoeverFollowsOtherAccountsForgetsAndReadsAnew() throws Exception {
    Told told = new Told();
    FollowSettings settings = FollowSettings.development(deployment.block());
    fund("job");
    try (LedgerFollower follower = follow(provider, settings, told)) {
      told.expect("Funded", "job");
      follower.awaitBlock(requester.rpc().head().number(), Party.TIMEOUT);
    }
    EscrowEvents both =
        new EscrowEvents(deployment.escrow(), List.of(provider.address(), requester.address()));
    try (LedgerFollower follower =
        LedgerFollower.start(
            provider.rpc(),
            provider.jdbi(),
            "test",
            List.of(new Followed<>(both, told)),
            settings)) {
      assertThat(told.words.poll(120, TimeUnit.SECONDS)).isEqualTo("forgotten");
      told.expect("Funded", "job");
      follower.awaitBlock(requester.rpc().head().number(), Party.TIMEOUT);
      told.expectNothing();
    }
  }

  @Test
  void aReorganisationTakesEventsBackAndTellsWhatTookTheirPlace() throws Exception {
    Told told = new Told();
    try (Party other = party("other");
        LedgerFollower follower =
            follow(provider, FollowSettings.development(deployment.block()), told)) {
      requester.token(deployment).transfer(other.address(), PRICE, "for the other");
      fund("stays");
      told.expect("Funded", "stays");
      String snapshot = chain.request("evm_snapshot").stringValue();
      fund("lost");
      told.expect("Funded", "lost");
      provider.escrow(deployment).accept(requester.address(), jobId("lost"));
      told.expect("Accepted", "lost");
      expectStored(follower, provider, "stays", "lost", "lost");

      chain.request("evm_revert", snapshot);
      other.escrow(deployment).fund(jobId("instead"), provider.address(), PRICE, inAnHour(), 1);
      TestChain.mine(chain, 8);

      told.expect("back Accepted", "lost");
      told.expect("back Funded", "lost");
      told.expect("Funded", "instead");
      expectStored(follower, provider, "stays", "instead");
    }
  }

  @Test
  void nothingIsToldBeforeItsDepth() throws Exception {
    Told told = new Told();
    FollowSettings deep = new FollowSettings(deployment.block(), 4, 100, Duration.ofMillis(50));
    try (LedgerFollower follower = follow(provider, deep, told)) {
      fund("job");
      long funded = requester.rpc().head().number();
      TestChain.mine(chain, 2);
      assertThat(told.words.poll(500, TimeUnit.MILLISECONDS)).isNull();
      TestChain.mine(chain, 1);
      told.expect("Funded", "job");
      expectStored(follower, provider, "job");
      assertThat(
              follower.newest(eventsOf(provider), Optional.empty(), 1).get(0).place().blockNumber())
          .isEqualTo(funded);
    }
  }
}
