package io.rigmesh.ledger.intent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.EndpointProxy;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.io.IOException;
import java.math.BigInteger;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What happens to transactions when the chain does not play along: no blocks, full blocks, lost
/// pools, reorganisations, rivals, and no chain at all.
class TransactionSenderIT {
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);
  private static final BigInteger GWEI = BigInteger.TEN.pow(9);
  private static final BigInteger PAID = BigInteger.valueOf(12_345);
  private static final Duration SHORT = Duration.ofMillis(700);

  @TempDir Path folder;
  private DevChain chain;
  private AccountKey key;
  private Address recipient;

  @BeforeEach
  void start() {
    chain = TestChain.start();
    key = AccountKey.generate();
    recipient = AccountKey.generate().address();
    chain.setBalance(key.address(), ETHER);
  }

  @AfterEach
  void stop() {
    chain.close();
  }

  private static SenderSettings settings(int confirmations, Duration replaceAfter, long capGwei) {
    return new SenderSettings(
        confirmations,
        GWEI.multiply(BigInteger.valueOf(capGwei)),
        25,
        replaceAfter,
        Duration.ofMillis(50));
  }

  private static SenderSettings patient() {
    return settings(1, Duration.ofHours(1), 200);
  }

  private Party open(SenderSettings settings) {
    return open("node", settings);
  }

  private Party open(String database, SenderSettings settings) {
    return Party.open(
        key, folder.resolve(database + ".db"), chain.endpoint(), settings, SendListener.NONE);
  }

  private Intent submit(Party party, String name) {
    return party.sender().submit("pay:" + name, "pay " + name, () -> Call.payment(recipient, PAID));
  }

  private static Inclusion await(Party party, String name) {
    return party.sender().await("pay:" + name, Party.TIMEOUT);
  }

  private static List<Attempt> attempts(Party party, String name) {
    return party.store().attempts(party.sender().find("pay:" + name).orElseThrow().id());
  }

  private static IntentState state(Party party, String name) {
    return party.sender().find("pay:" + name).orElseThrow().state();
  }

  private static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      LockSupport.parkNanos(5_000_000);
    }
  }

  private void automine(boolean on) {
    chain.request("evm_setAutomine", on);
  }

  private void mine() {
    TestChain.mine(chain, 1);
  }

  @Test
  void aStuckTransactionIsReplacedUnderItsNonceAndPaysOnce() {
    automine(false);
    try (Party party = open(settings(1, SHORT, 200))) {
      submit(party, "stuck");
      until(() -> attempts(party, "stuck").size() >= 3);
      mine();
      Inclusion inclusion = await(party, "stuck");

      List<Attempt> attempts = attempts(party, "stuck");
      for (int i = 0; i + 1 < attempts.size(); i++) {
        // The newest is first. Nodes take a replacement only with a tenth more in both fees.
        Attempt newer = attempts.get(i);
        Attempt older = attempts.get(i + 1);
        assertThat(newer.maxFeeWei().multiply(BigInteger.TEN))
            .isGreaterThanOrEqualTo(older.maxFeeWei().multiply(BigInteger.valueOf(11)));
        assertThat(newer.priorityFeeWei().multiply(BigInteger.TEN))
            .isGreaterThanOrEqualTo(older.priorityFeeWei().multiply(BigInteger.valueOf(11)));
      }
      assertThat(attempts).extracting(Attempt::hash).contains(inclusion.transaction());
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
      assertThat(party.rpc().nonce(key.address())).isEqualTo(1);
    }
  }

  @Test
  void aClockThatIsSetBackByADayKeepsNoTransactionStuck() {
    automine(false);
    AtomicReference<Duration> wrongBy = new AtomicReference<>(Duration.ofDays(1));
    Clock clock = Clock.systemUTC();
    Clock jumping =
        new Clock() {
          @Override
          public ZoneId getZone() {
            return clock.getZone();
          }

          @Override
          public Clock withZone(ZoneId zone) {
            return this;
          }

          @Override
          public Instant instant() {
            return clock.instant().plus(wrongBy.get());
          }
        };
    try (Party party =
        Party.open(
            key,
            folder.resolve("node.db"),
            RpcSettings.of(31337, chain.endpoint()),
            patient(),
            SendListener.NONE,
            jumping)) {
      submit(party, "set back");
      wrongBy.set(Duration.ZERO);
      until(() -> attempts(party, "set back").size() == 2);
      mine();
      await(party, "set back");
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
    }
  }

  @Test
  void aReplacedVersionThatIsMinedAfterAllIsRecognised() {
    automine(false);
    Attempt first;
    try (Party party = open(settings(1, SHORT, 200))) {
      submit(party, "old version");
      until(() -> attempts(party, "old version").size() >= 2);
      first = attempts(party, "old version").getLast();
    }
    // Somewhere in the network a node still had the first version, and its miner was quicker.
    TestChain.dropWaiting(chain);
    chain.request("eth_sendRawTransaction", first.raw());
    mine();
    try (Party party = open(settings(1, SHORT, 200))) {
      assertThat(await(party, "old version").transaction()).isEqualTo(first.hash());
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
    }
  }

  @Test
  void transactionsBehindAStuckOneKeepTheirPlaces() {
    automine(false);
    try (Party party = open(settings(1, SHORT, 200))) {
      submit(party, "first");
      submit(party, "second");
      submit(party, "third");
      until(() -> attempts(party, "first").size() >= 2);
      assertThat(attempts(party, "third")).hasSize(1);
      mine();
      for (String name : List.of("first", "second", "third")) {
        await(party, name);
      }
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID.multiply(BigInteger.valueOf(3)));
      assertThat(state(party, "third")).isInstanceOf(IntentState.Confirmed.class);
      assertThat(((IntentState.Confirmed) state(party, "third")).nonce()).isEqualTo(2);
    }
  }

  @Test
  void aTransactionThatThePoolLostIsSentAgain() {
    automine(false);
    try (Party party = open(patient())) {
      submit(party, "dropped");
      TestChain.dropWaiting(chain);
      until(() -> party.rpc().knows(attempts(party, "dropped").get(0).hash()));
      mine();
      await(party, "dropped");
      assertThat(attempts(party, "dropped")).hasSize(1);
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
    }
  }

  @Test
  void aRestartedSenderFindsWhatWasOpenInEveryState() {
    automine(false);
    try (Party party = open(patient())) {
      submit(party, "open");
      assertThatThrownBy(() -> party.sender().await("pay:open", Duration.ofMillis(200)))
          .isInstanceOf(TransactionPendingException.class)
          .hasMessageContaining("goes on by itself");
    }
    TestChain.dropWaiting(chain);
    automine(true);
    try (Party party = open(patient())) {
      Inclusion inclusion = await(party, "open");
      assertThat(attempts(party, "open"))
          .extracting(Attempt::hash)
          .containsExactly(inclusion.transaction());
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
    }
  }

  @Test
  void aBlockThatIsReorganisedAwayBeforeItsDepthIsMinedAgain() {
    try (Party party = open(settings(4, Duration.ofHours(1), 200))) {
      String snapshot = chain.request("evm_snapshot").stringValue();
      submit(party, "reorganised");
      until(() -> state(party, "reorganised") instanceof IntentState.Mined);
      IntentState.Mined before = (IntentState.Mined) state(party, "reorganised");

      automine(false);
      chain.request("evm_revert", snapshot);
      TestChain.dropWaiting(chain);
      until(() -> state(party, "reorganised") instanceof IntentState.Signed);
      until(() -> party.rpc().knows(before.inclusion().transaction()));
      // At the same second an equal block would have the same hash.
      chain.request("evm_increaseTime", 7);
      TestChain.mine(chain, 5);

      Inclusion after = await(party, "reorganised");
      assertThat(after.transaction()).isEqualTo(before.inclusion().transaction());
      assertThat(after.blockHash()).isNotEqualTo(before.inclusion().blockHash());
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
    }
  }

  @Test
  void aReorganisationDeeperThanTheConfirmationsIsHealedWithTheSameBytes() {
    String snapshot;
    try (Party party = open(patient())) {
      submit(party, "kept");
      await(party, "kept");
      snapshot = chain.request("evm_snapshot").stringValue();
      submit(party, "lost");
      await(party, "lost");
    }
    chain.request("evm_revert", snapshot);
    try (Party party = open(patient())) {
      submit(party, "later");
      await(party, "later");
      await(party, "lost");
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID.multiply(BigInteger.valueOf(3)));
      assertThat(party.rpc().nonce(key.address())).isEqualTo(3);
    }
  }

  @Test
  void aRivalThatUsesTheAccountIsNoticedAndNothingIsPaidTwice() {
    automine(false);
    try (Party party = open(patient());
        Party rival = open("rival", patient())) {
      rival
          .sender()
          .submit(
              "pay:rival",
              "pay the rival's debt",
              () -> Call.payment(recipient, PAID.multiply(BigInteger.TWO)));
      // Both believe that the nonce is free. The second does not get past the pool.
      submit(party, "ours");
      mine();
      await(rival, "rival");
      mine();
      mine();
      assertThatThrownBy(() -> await(party, "ours"))
          .isInstanceOf(TransactionFailedException.class)
          .hasMessageContaining("another program sent a transaction")
          .hasMessageContaining("nonce 0");
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID.multiply(BigInteger.TWO));
      automine(true);
      submit(party, "under a new key");
      await(party, "under a new key");
    }
  }

  @Test
  void aTransactionThatRevertsInItsBlockSaysWhyAndIsNotRepeated() {
    try (Party party = open(patient())) {
      Deployment deployment = DevDeployment.standard().deploy(party.sender(), Party.TIMEOUT);
      EscrowClient escrow = party.escrow(deployment);
      Hash job = Digests.sha256("job".getBytes(StandardCharsets.US_ASCII));
      long deadline = party.rpc().head().timestamp().getEpochSecond() + 3600;
      escrow.fund(job, party.address(), TokenAmount.of(100), Instant.ofEpochSecond(deadline), 1);
      automine(false);
      Thread accept = Thread.ofVirtual().start(() -> acceptLate(escrow, party.address(), job));
      // Signed is stored before it is sent; the block below must find it in the pool.
      until(() -> TestChain.waiting(chain).size() == 1);
      // It was in time when it was sent, and the next block is not.
      chain.request("evm_setNextBlockTimestamp", deadline + 1);
      mine();
      assertThat(join(accept)).isTrue();
      assertThat(party.store().list("accept:")).hasSize(1);
      IntentState.Reverted reverted =
          (IntentState.Reverted) party.store().list("accept:").get(0).state();
      assertThat(reverted.inclusion().succeeded()).isFalse();
      assertThat(reverted.inclusion().feeWei()).isPositive();
      // Asked for again it is estimated first, and nothing is sent that would revert.
      long nonce = party.rpc().nonce(party.address());
      assertThatThrownBy(() -> escrow.accept(party.address(), job))
          .isInstanceOf(TransactionRefusedException.class)
          .hasMessageContaining("deadline");
      assertThat(party.rpc().nonce(party.address())).isEqualTo(nonce);
    }
  }

  @Test
  void whatAnotherTransactionDisplacedIsSentAnewWhereTheContractTakesItOnce() {
    try (Party party = open(patient());
        Party rival = open("rival", patient())) {
      Deployment deployment = DevDeployment.standard().deploy(party.sender(), Party.TIMEOUT);
      EscrowClient escrow = party.escrow(deployment);
      Hash job = Digests.sha256("displaced".getBytes(StandardCharsets.US_ASCII));
      long deadline = party.rpc().head().timestamp().getEpochSecond() + 3600;
      escrow.fund(job, party.address(), TokenAmount.of(100), Instant.ofEpochSecond(deadline), 1);
      automine(false);
      rival.sender().submit("pay:rival", "pay a debt", () -> Call.payment(recipient, PAID));
      Thread accept =
          Thread.ofVirtual()
              .start(() ->
                  assertThatThrownBy(() -> escrow.accept(party.address(), job))
                      .isInstanceOf(TransactionFailedException.class)
                      .hasMessageContaining("another program sent a transaction"));
      until(() -> party.store().list("accept:").size() == 1);
      until(() -> party.store().list("accept:").get(0).state() instanceof IntentState.Signed);
      mine();
      await(rival, "rival");
      mine();
      mine();
      assertThat(join(accept)).isTrue();
      automine(true);
      assertThat(escrow.accept(party.address(), job).succeeded()).isTrue();
      assertThat(escrow.accept(party.address(), job).succeeded()).isTrue();
      assertThat(party.store().list("accept:")).hasSize(2);
      assertThat(escrow.escrow(party.address(), job).orElseThrow().status())
          .isEqualTo(EscrowStatus.ACCEPTED);
    }
  }

  private static void acceptLate(EscrowClient escrow, Address requester, Hash job) {
    assertThatThrownBy(() -> escrow.accept(requester, job))
        .isInstanceOf(TransactionFailedException.class)
        .hasMessageContaining("was mined and took back its effect: The deadline");
  }

  private static boolean join(Thread thread) {
    try {
      return thread.join(Party.TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void feesAboveTheCapAreWaitedOutAndSaid() {
    try (Party party = open(settings(1, SHORT, 5))) {
      chain.request(
          "hardhat_setNextBlockBaseFeePerGas",
          "0x" + GWEI.multiply(BigInteger.valueOf(50)).toString(16));
      mine();
      submit(party, "dear");
      assertThat(state(party, "dear")).isInstanceOf(IntentState.Planned.class);
      assertThatThrownBy(() -> party.sender().await("pay:dear", Duration.ofMillis(200)))
          .isInstanceOf(TransactionPendingException.class)
          .hasMessageContaining("above the cap of 0.000000005 ETH");
      assertThat(party.store().highestNonce()).isEmpty();
      chain.request("hardhat_setNextBlockBaseFeePerGas", "0x3b9aca00");
      mine();
      await(party, "dear");
      assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID);
    }
  }

  @Test
  void anAccountThatCannotPayForWhatIsOpenAlreadyIsToldBeforeAnythingIsSigned() {
    automine(false);
    try (Party party = open(patient())) {
      BigInteger most = ETHER.multiply(BigInteger.valueOf(6)).divide(BigInteger.TEN);
      party.sender().submit("pay:a", "pay a", () -> Call.payment(recipient, most));
      assertThatThrownBy(
              () -> party.sender().submit("pay:b", "pay b", () -> Call.payment(recipient, most)))
          .isInstanceOf(InsufficientGasFundsException.class)
          .hasMessageContaining("send it at least");
      assertThat(party.store().highestNonce()).hasValue(0);
    }
  }

  @Test
  void aKeyCannotMeanTwoThings() {
    try (Party party = open(patient())) {
      submit(party, "one thing");
      assertThatThrownBy(() ->
              party
                  .sender()
                  .submit(
                      "pay:one thing",
                      "pay another thing",
                      () -> Call.payment(recipient, BigInteger.ONE)))
          .isInstanceOf(IntentConflictException.class);
    }
  }

  @Test
  void whatIsDecidedWhileTheChainIsAwayIsSentWhenItIsBack() throws IOException {
    int port = freePort();
    DevChain.Settings kept =
        new DevChain.Settings(
            AnvilBinary.find(Path.of("")),
            port,
            31337,
            Optional.empty(),
            Optional.of(folder.resolve("state.json")));
    DevChain first = DevChain.start(kept);
    first.setBalance(key.address(), ETHER);
    try (Party party =
        Party.open(
            key, folder.resolve("away.db"), first.endpoint(), patient(), SendListener.NONE)) {
      submit(party, "before");
      await(party, "before");
      first.close();
      Intent away = submit(party, "away");
      assertThat(away.state()).isInstanceOf(IntentState.Planned.class);
      assertThatThrownBy(() -> party.sender().await("pay:away", Duration.ofMillis(200)))
          .isInstanceOf(TransactionPendingException.class)
          .hasMessageContaining("the chain cannot be reached");
      try (DevChain again = DevChain.start(kept)) {
        await(party, "away");
        assertThat(again.endpoint()).isEqualTo(first.endpoint());
        assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID.multiply(BigInteger.TWO));
      }
    }
  }

  /// The endpoint is gone before anybody hears whether it took the transaction.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whereTheFirstEndpointDiesInASendTheSecondBringsItToItsEndOnce(boolean reachedTheChain) {
    try (EndpointProxy first = new EndpointProxy(chain.endpoint());
        EndpointProxy second = new EndpointProxy(chain.endpoint())) {
      RpcSettings both =
          new RpcSettings(
              31337,
              List.of(first.endpoint(), second.endpoint()),
              Duration.ofSeconds(30),
              Duration.ofSeconds(60),
              Duration.ofSeconds(50),
              5);
      Runnable death = first::close;
      first.rule(request -> {
        if (!request.path("method").stringValue("").equals("eth_sendRawTransaction")) {
          return Optional.empty();
        }
        if (reachedTheChain) {
          chain.request("eth_sendRawTransaction", request.path("params").path(0).stringValue());
        }
        death.run();
        return Optional.empty();
      });
      try (Party party =
          Party.open(
              key,
              folder.resolve("failover.db"),
              both,
              patient(),
              SendListener.NONE,
              Clock.systemUTC())) {
        submit(party, "over the first");
        Inclusion inclusion = await(party, "over the first");
        assertThat(first.methods()).contains("eth_sendRawTransaction");
        assertThat(second.methods()).contains("eth_sendRawTransaction");
        assertThat(attempts(party, "over the first"))
            .extracting(Attempt::hash)
            .containsExactly(inclusion.transaction());
        submit(party, "over the second");
        await(party, "over the second");
        assertThat(party.rpc().balanceWei(recipient)).isEqualTo(PAID.multiply(BigInteger.TWO));
        assertThat(party.rpc().nonce(key.address())).isEqualTo(2);
      }
    }
  }

  @Test
  void aStoreOfAnotherDevelopmentChainIsRefused() {
    try (Party party = open(patient())) {
      submit(party, "here");
      await(party, "here");
      // Anvil's genesis follows from its clock: a chain of another second is another chain.
      long begun = party.rpc().block(0).orElseThrow().timestamp().getEpochSecond();
      until(() -> Instant.now().getEpochSecond() > begun);
    }
    try (DevChain other = TestChain.start()) {
      other.setBalance(key.address(), ETHER);
      assertThatThrownBy(() ->
              Party.open(
                  key, folder.resolve("node.db"), other.endpoint(), patient(), SendListener.NONE))
          .isInstanceOf(ChainMismatchException.class)
          .hasMessageContaining("started anew");
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
