package io.rigmesh.ledger.escrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A requester and a provider against the real contracts on a real chain.
class EscrowIT {
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);
  private static final TokenAmount PRICE = TokenAmount.of(5_000_000);

  @TempDir static Path folder;
  private static DevChain chain;
  private static Party requester;
  private static Party provider;
  private static Deployment deployment;

  @BeforeAll
  static void start() {
    chain = TestChain.start();
    requester = party("requester");
    provider = party("provider");
    deployment = DevDeployment.standard().deploy(requester.sender(), Party.TIMEOUT);
    requester
        .token(deployment)
        .transfer(provider.address(), TokenAmount.of(1_000_000_000), "for the provider");
  }

  @AfterAll
  static void stop() {
    requester.close();
    provider.close();
    chain.close();
  }

  private static Party party(String name) {
    AccountKey key = AccountKey.generate();
    chain.setBalance(key.address(), ETHER);
    return Party.open(key, folder.resolve(name + ".db"), chain);
  }

  private static Hash jobId(String name) {
    return Digests.sha256(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static Instant inAnHour() {
    return Instant.ofEpochSecond(requester.rpc().head().timestamp().getEpochSecond() + 3600);
  }

  @Test
  void aJobIsFundedAcceptedProvenAndReleasedAndTheMoneyArrives() {
    EscrowClient asRequester = requester.escrow(deployment);
    EscrowClient asProvider = provider.escrow(deployment);
    TokenClient token = requester.token(deployment);
    TokenAmount requesterBefore = token.balance(requester.address());
    TokenAmount providerBefore = token.balance(provider.address());
    TokenAmount escrowBefore = token.balance(deployment.escrow());
    Hash job = jobId("whole walk");
    Hash root = jobId("root");
    Instant deadline = inAnHour();

    assertThat(asRequester.escrow(requester.address(), job)).isEmpty();
    asRequester.fund(job, provider.address(), PRICE, deadline, 1);
    assertThat(asProvider.escrow(requester.address(), job))
        .contains(
            new Escrow(
                provider.address(),
                EscrowStatus.FUNDED,
                deadline,
                PRICE,
                1,
                0,
                0,
                TokenAmount.ZERO));
    asProvider.accept(requester.address(), job);
    TokenAmount due = TokenAmount.of(3_000_000);
    asProvider.submitProof(requester.address(), job, 1, root, due);
    Escrow proven = asRequester.escrow(requester.address(), job).orElseThrow();
    assertThat(proven.status()).isEqualTo(EscrowStatus.PROVEN);
    assertThat(proven.proven()).isEqualTo(1);
    Milestone proof = asRequester.milestone(requester.address(), job, 1).orElseThrow();
    assertThat(proof.status()).isEqualTo(Milestone.Status.PROVEN);
    assertThat(proof.proofRoot()).isEqualTo(root);
    assertThat(proof.amountDue()).isEqualTo(due);
    Inclusion released = asRequester.release(requester.address(), job, 1);

    assertThat(asRequester.escrow(requester.address(), job).orElseThrow().status())
        .isEqualTo(EscrowStatus.RELEASED);
    assertThat(token.balance(provider.address())).isEqualTo(providerBefore.plus(due));
    assertThat(token.balance(requester.address())).isEqualTo(requesterBefore.minus(due));
    assertThat(token.balance(deployment.escrow())).isEqualTo(escrowBefore);
    assertThat(released.gasUsed()).isBetween(21_000L, 200_000L);
    assertThat(released.gasPriceWei()).isPositive();
    // The same question again finds the same answer.
    assertThat(asRequester.release(requester.address(), job, 1)).isEqualTo(released);
    assertThat(asRequester.domain().verifyingContract()).isEqualTo(deployment.escrow());
    assertThat(asRequester.tokenAddress()).isEqualTo(deployment.token());
    assertThat(asRequester.challengeTime()).isEqualTo(Duration.ofMinutes(1));
  }

  @Test
  void fundingTheSameJobTwiceLocksTheMoneyOnce() {
    EscrowClient escrow = requester.escrow(deployment);
    Hash job = jobId("twice");
    Instant deadline = inAnHour();
    TokenAmount before = requester.token(deployment).balance(requester.address());

    Inclusion first = escrow.fund(job, provider.address(), PRICE, deadline, 1);
    Inclusion second = escrow.fund(job, provider.address(), PRICE, deadline, 1);

    assertThat(second).isEqualTo(first);
    assertThat(requester.token(deployment).balance(requester.address()))
        .isEqualTo(before.minus(PRICE));
    assertThatThrownBy(() -> escrow.fund(job, provider.address(), TokenAmount.of(1), deadline, 1))
        .isInstanceOf(IntentConflictException.class)
        .hasMessageContaining("cannot become");
    provider.escrow(deployment).decline(requester.address(), job);
    assertThat(requester.token(deployment).balance(requester.address())).isEqualTo(before);
  }

  @Test
  void aFundingWhosePermitWentStaleBeforeItsBlockIsMadeAnewWhenItIsAskedForAgain()
      throws Exception {
    try (Party holder = party("stale");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      TokenClient token = holder.token(deployment);
      requester.token(deployment).transfer(holder.address(), PRICE, "for the stale");
      EscrowClient escrow = holder.escrow(deployment);
      Hash job = jobId("stale");
      Instant deadline = inAnHour().plus(Duration.ofDays(365));
      Future<Inclusion> stale;
      chain.request("evm_setAutomine", false);
      try {
        stale = threads.submit(() -> escrow.fund(job, provider.address(), PRICE, deadline, 1));
        awaitSent(holder);
        // A permit is good for a day.
        chain.request("evm_increaseTime", Duration.ofHours(25).toSeconds());
        chain.request("evm_mine");
      } finally {
        chain.request("evm_setAutomine", true);
      }
      assertThatThrownBy(stale::get)
          .cause()
          .isInstanceOf(TransactionFailedException.class)
          .hasMessageContaining("permit");
      assertThat(token.balance(holder.address())).isEqualTo(PRICE);

      Inclusion funded = escrow.fund(job, provider.address(), PRICE, deadline, 1);
      assertThat(escrow.fund(job, provider.address(), PRICE, deadline, 1)).isEqualTo(funded);
      assertThat(token.balance(holder.address())).isEqualTo(TokenAmount.ZERO);
      assertThat(escrow.escrow(holder.address(), job)).isPresent();
    }
  }

  /// Waits until the chain has a transaction of the party's that is in no block.
  private static void awaitSent(Party party) {
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (chain
        .request("eth_getTransactionCount", party.address().hex(), "pending")
        .asString()
        .equals("0x0")) {
      assertThat(System.nanoTime()).as("the time to send a transaction").isLessThan(end);
      LockSupport.parkNanos(20_000_000);
    }
  }

  @Test
  void manyThreadsFundManyJobsEachOnceWithPermits() throws Exception {
    EscrowClient escrow = requester.escrow(deployment);
    Instant deadline = inAnHour();
    TokenAmount before = requester.token(deployment).balance(requester.address());
    List<Future<Inclusion>> funded = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 12; i++) {
        // Every job is asked for twice at the same time.
        Hash job = jobId("parallel " + i / 2);
        funded.add(threads.submit(() -> escrow.fund(job, provider.address(), PRICE, deadline, 1)));
      }
    }
    for (int i = 0; i < funded.size(); i += 2) {
      assertThat(funded.get(i).get()).isEqualTo(funded.get(i + 1).get());
    }
    assertThat(requester.token(deployment).balance(requester.address()))
        .isEqualTo(before.minus(TokenAmount.of(6 * 5_000_000)));
  }

  @Test
  void anAllowanceIsUsedWhereThereIsOne() {
    Party holder = party("holder");
    try (holder) {
      requester.token(deployment).transfer(holder.address(), PRICE, "for the holder");
      holder.token(deployment).approve(deployment.escrow(), PRICE, "the holder's escrow");
      holder
          .escrow(deployment)
          .fund(jobId("by allowance"), provider.address(), PRICE, inAnHour(), 1);
      assertThat(holder.token(deployment).allowance(holder.address(), deployment.escrow()))
          .isZero();
    }
  }

  @Test
  void refusalsAreSentencesWithARemedyAndCostNothing() {
    EscrowClient asProvider = provider.escrow(deployment);
    BigInteger before = provider.rpc().balanceWei(provider.address());
    assertThatThrownBy(() -> asProvider.accept(requester.address(), jobId("never funded")))
        .isInstanceOf(TransactionRefusedException.class)
        .hasMessageContaining("the requester must fund it first");

    Hash job = jobId("refused");
    requester.escrow(deployment).fund(job, provider.address(), PRICE, inAnHour(), 1);
    assertThatThrownBy(
            () -> asProvider.submitProof(requester.address(), job, 1, jobId("root"), PRICE))
        .isInstanceOf(TransactionRefusedException.class)
        .hasMessageContaining("The escrow is funded");
    assertThatThrownBy(() -> requester.escrow(deployment).refund(requester.address(), job))
        .isInstanceOf(TransactionRefusedException.class)
        .hasMessageContaining("The provider has until");
    assertThat(provider.rpc().balanceWei(provider.address())).isEqualTo(before);

    // What was refused too early can be asked for again under the same key.
    asProvider.accept(requester.address(), job);
    assertThatThrownBy(() ->
            asProvider.submitProof(
                requester.address(), job, 1, jobId("root"), PRICE.plus(TokenAmount.of(1))))
        .hasMessageContaining("ask for at most that");
    asProvider.submitProof(requester.address(), job, 1, jobId("root"), PRICE);
    assertThatThrownBy(() -> asProvider.release(requester.address(), job, 1))
        .hasMessageContaining("only the requester may release");
  }

  @Test
  void anAccountWithoutTokensOrGasIsToldWhatIsMissing() {
    Party poor = party("poor");
    try (poor) {
      assertThatThrownBy(() ->
              poor.escrow(deployment).fund(jobId("poor"), provider.address(), PRICE, inAnHour(), 1))
          .isInstanceOf(TransactionRefusedException.class)
          .hasMessageContaining("holds 0 of the token's smallest unit but needs 5000000");
    }
    AccountKey key = AccountKey.generate();
    try (Party penniless = Party.open(key, folder.resolve("penniless.db"), chain)) {
      requester.token(deployment).transfer(key.address(), PRICE, "for the penniless");
      assertThatThrownBy(() ->
              penniless
                  .escrow(deployment)
                  .fund(jobId("no gas"), provider.address(), PRICE, inAnHour(), 1))
          // Where the sender's own round comes first, the caller hears of a refusal.
          .isInstanceOfAny(InsufficientGasFundsException.class, TransactionRefusedException.class)
          .hasMessageContaining("has 0 ETH")
          .hasMessageContaining("for gas");
      assertThat(penniless.store().highestNonce()).isEmpty();
      chain.setBalance(key.address(), ETHER);
      penniless.escrow(deployment).fund(jobId("no gas"), provider.address(), PRICE, inAnHour(), 1);
    }
  }

  @Test
  void stakeIsBondedUnbondedAndWithdrawn() {
    RegistryClient registry = provider.registry(deployment);
    registry.stake(TokenAmount.of(700), "first stake");
    registry.stake(TokenAmount.of(300), "second stake");
    registry.stake(TokenAmount.of(300), "second stake");
    assertThat(registry.stakeOf(provider.address()))
        .isEqualTo(new Stake(TokenAmount.of(1000), TokenAmount.ZERO, Optional.empty()));
    registry.requestUnbond(TokenAmount.of(400), "some back");
    Stake unbonding = registry.stakeOf(provider.address());
    assertThat(unbonding.bonded()).isEqualTo(TokenAmount.of(600));
    assertThat(unbonding.unbonding()).isEqualTo(TokenAmount.of(400));
    assertThat(unbonding.withdrawableAt()).isPresent();
    assertThatThrownBy(() -> registry.withdraw("too early"))
        .isInstanceOf(TransactionRefusedException.class)
        .hasMessageContaining("can be withdrawn after");
  }

  @Test
  void everyStoredIntentSaysWhatItCost() {
    List<Intent> deployed = requester.store().list("deploy:");
    assertThat(deployed)
        .extracting(Intent::key)
        .containsExactly(
            "deploy:DevToken",
            "deploy:ProviderRegistry",
            "deploy:JobEscrow",
            "deploy:PaymentChannels",
            "deploy:ReceiptLog");
    assertThat(deployed)
        .allSatisfy(intent -> {
          Inclusion inclusion = intent.inclusion().orElseThrow();
          assertThat(inclusion.gasUsed()).isGreaterThan(100_000);
          assertThat(inclusion.feeWei()).isPositive();
        });
  }

  @Test
  void aDeploymentIsFoundAgainAndItsFileReadBack() {
    assertThat(DevDeployment.standard().deploy(requester.sender(), Party.TIMEOUT))
        .isEqualTo(deployment);
    Path file = folder.resolve("deployment.json");
    deployment.write(file);
    assertThat(Deployment.read(file)).isEqualTo(deployment);
    deployment.requireOn(provider.rpc());
  }
}
