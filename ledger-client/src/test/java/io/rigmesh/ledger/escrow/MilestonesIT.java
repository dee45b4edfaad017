package io.rigmesh.ledger.escrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.web3j.tx.gas.DefaultGasProvider;

/// Jobs in milestones, by signatures and with disputes, against the real contracts on a real chain.
class MilestonesIT {
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);
  private static final TokenAmount PRICE = TokenAmount.of(3_000_000);
  private static final TokenAmount PART = TokenAmount.of(1_000_000);
  private static final Duration RULING = Duration.ofHours(2);

  private static final Address REFEREE = Address.fromHex("0x" + "00".repeat(17) + "4ef0e0");

  /// A referee that is told of disputes and rules in the words of whoever calls it: what stands
  /// behind an address in its call, it says to that address. In the EVM's words: calldatacopy(0,
  /// 32, calldatasize - 32); call(gas, calldataload(0), 0, 0, calldatasize - 32, 0, 0), or revert.
  private static final String REFEREE_CODE =
      "0x6020360360206000376000600060203603600060006000355af1602257600060" + "00fd5b00";

  @TempDir static Path folder;
  private static DevChain chain;
  private static AccountKey requesterKey;
  private static AccountKey providerKey;
  private static Party requester;
  private static Party provider;
  private static Deployment deployment;
  private static EscrowClient asRequester;
  private static EscrowClient asProvider;
  private static TokenClient token;

  @BeforeAll
  static void start() {
    chain = TestChain.start();
    chain.request("hardhat_setCode", REFEREE.hex(), REFEREE_CODE);
    requesterKey = AccountKey.generate();
    providerKey = AccountKey.generate();
    requester = party(requesterKey, "requester");
    provider = party(providerKey, "provider");
    DevDeployment standard = DevDeployment.standard();
    deployment =
        new DevDeployment(
                standard.supply(), standard.unbonding(), standard.challenge(), REFEREE, RULING)
            .deploy(requester.sender(), Party.TIMEOUT);
    asRequester = requester.escrow(deployment);
    asProvider = provider.escrow(deployment);
    token = requester.token(deployment);
  }

  @AfterAll
  static void stop() {
    requester.close();
    provider.close();
    chain.close();
  }

  private static Party party(AccountKey key, String name) {
    chain.setBalance(key.address(), ETHER);
    return Party.open(key, folder.resolve(name + ".db"), chain);
  }

  private static Hash hash(String name) {
    return Digests.sha256(name.getBytes(StandardCharsets.UTF_8));
  }

  private static Acceptance acceptance(String job, long inSeconds) {
    return new Acceptance(
        hash(job),
        requester.address(),
        provider.address(),
        PRICE,
        requester.rpc().head().timestamp().getEpochSecond() + inSeconds,
        3);
  }

  private static Signature signed(Acceptance acceptance) {
    return acceptance.sign(providerKey, asProvider.domain());
  }

  /// A job of three milestones that its provider has taken on by signature.
  private static Hash funded(String job) {
    Acceptance acceptance = acceptance(job, 36_000);
    asRequester.fundAccepted(acceptance, signed(acceptance));
    return acceptance.job();
  }

  private static Escrow escrow(Hash job) {
    return asRequester.escrow(requester.address(), job).orElseThrow();
  }

  private static Approval approval(Hash job, int number) {
    return new Approval(job, provider.address(), number, hash("root " + number), PART);
  }

  private static Inclusion settle(Hash job, int number) {
    Approval approval = approval(job, number);
    return asProvider.settle(
        requester.address(), approval, approval.sign(requesterKey, asRequester.domain()));
  }

  private static void later(Duration time) {
    chain.request("evm_increaseTime", time.toSeconds());
    TestChain.mine(chain, 1);
  }

  @Test
  void aJobTakenOnAndApprovedOfBySignaturesTakesATransactionForTheMoneyAndOneForEachMilestone() {
    TokenAmount before = token.balance(provider.address());
    Acceptance acceptance = acceptance("signed", 3_600);
    Inclusion funded = asRequester.fundAccepted(acceptance, signed(acceptance));
    Hash job = acceptance.job();
    assertThat(escrow(job).status()).isEqualTo(EscrowStatus.ACCEPTED);
    assertThat(escrow(job).milestones()).isEqualTo(3);
    assertThat(asProvider.escrow(requester.address(), job, 1)).contains(escrow(job));
    // The same question again finds the same answer.
    assertThat(asRequester.fundAccepted(acceptance, signed(acceptance))).isEqualTo(funded);

    long bySignatures = funded.gasUsed();
    for (int number = 1; number <= 3; number++) {
      Inclusion settled = settle(job, number);
      bySignatures += settled.gasUsed();
      assertThat(settle(job, number)).isEqualTo(settled);
      assertThat(escrow(job).proven()).isEqualTo(number);
      assertThat(escrow(job).paid()).isEqualTo(number);
      assertThat(asProvider.isPaid(requester.address(), job, number, 1)).isTrue();
      assertThat(token.balance(provider.address()))
          .isEqualTo(before.plus(TokenAmount.of(1_000_000L * number)));
    }
    assertThat(escrow(job).status()).isEqualTo(EscrowStatus.RELEASED);

    Hash other = hash("by transactions");
    long byTransactions =
        asRequester
            .fund(
                other,
                provider.address(),
                PRICE,
                java.time.Instant.ofEpochSecond(acceptance.deadlineSeconds()),
                3)
            .gasUsed();
    byTransactions += asProvider.accept(requester.address(), other).gasUsed();
    for (int number = 1; number <= 3; number++) {
      byTransactions +=
          asProvider
              .submitProof(requester.address(), other, number, hash("root " + number), PART)
              .gasUsed();
      byTransactions += asRequester.release(requester.address(), other, number).gasUsed();
    }
    assertThat(bySignatures).isLessThan(byTransactions);
    System.out.println(
        "gas of a job in three milestones: "
            + bySignatures
            + " by signatures, "
            + byTransactions
            + " by transactions");
  }

  @Test
  void anAcceptanceThatIsForgedForOtherTermsOrTooLateLocksNothing() {
    TokenAmount before = token.balance(requester.address());
    Acceptance acceptance = acceptance("forged", 3_600);
    assertThatThrownBy(() ->
            asRequester.fundAccepted(
                acceptance, acceptance.sign(requesterKey, asRequester.domain())))
        .isInstanceOf(TransactionRefusedException.class);
    assertThatThrownBy(
            () -> asRequester.fundAccepted(acceptance, signed(acceptance("forged", 7_200))))
        .isInstanceOf(TransactionRefusedException.class);
    Acceptance late = acceptance("late", -1);
    assertThatThrownBy(() -> asRequester.fundAccepted(late, signed(late)))
        .isInstanceOf(TransactionRefusedException.class)
        .hasMessageContaining("deadline");
    Acceptance foreign =
        new Acceptance(
            hash("foreign"),
            provider.address(),
            provider.address(),
            PRICE,
            acceptance.deadlineSeconds(),
            3);
    assertThatThrownBy(() -> asRequester.fundAccepted(foreign, signed(foreign)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(token.balance(requester.address())).isEqualTo(before);
    // What was refused can be asked for again with the right signature.
    asRequester.fundAccepted(acceptance, signed(acceptance));
    asProvider.decline(requester.address(), acceptance.job());
    assertThat(token.balance(requester.address())).isEqualTo(before);
  }

  @Test
  void anApprovalPaysAProvenMilestoneTooAndItsAmountIsSigned() {
    Hash job = funded("proven first");
    asProvider.submitProof(requester.address(), job, 1, hash("root 1"), PART);
    assertThat(asProvider.isPaid(requester.address(), job, 1, 1)).isFalse();
    Approval more =
        new Approval(job, provider.address(), 1, hash("root 1"), TokenAmount.of(1_000_001));
    assertThatThrownBy(() ->
            asProvider.settle(
                requester.address(), more, more.sign(requesterKey, asRequester.domain())))
        .isInstanceOf(TransactionRefusedException.class);
    TokenAmount before = token.balance(provider.address());
    settle(job, 1);
    assertThat(token.balance(provider.address())).isEqualTo(before.plus(PART));
    assertThat(asRequester.milestone(requester.address(), job, 1).orElseThrow().status())
        .isEqualTo(Milestone.Status.PAID);
    Approval forged = approval(job, 2);
    assertThatThrownBy(() ->
            asProvider.settle(
                requester.address(), forged, forged.sign(providerKey, asProvider.domain())))
        .isInstanceOf(TransactionRefusedException.class);
  }

  @Test
  void aDisputedMilestoneIsPaidAsTheRefereeRulesAndTheOthersAreUntouched() {
    Hash job = funded("ruled");
    settle(job, 1);
    asProvider.submitProof(requester.address(), job, 2, hash("root 2"), PART);
    assertThat(asRequester.referee()).contains(REFEREE);
    assertThat(asRequester.disputeTime()).isEqualTo(RULING);
    Inclusion disputed = asRequester.dispute(job, 2);
    assertThat(asRequester.dispute(job, 2)).isEqualTo(disputed);
    assertThat(asRequester.milestone(requester.address(), job, 2).orElseThrow().status())
        .isEqualTo(Milestone.Status.DISPUTED);
    // The work may go on beside it.
    settle(job, 3);
    assertThat(escrow(job).status()).isEqualTo(EscrowStatus.PROVEN);
    assertThatThrownBy(() -> asProvider.release(requester.address(), job, 2))
        .isInstanceOf(TransactionRefusedException.class);

    TokenAmount ofProvider = token.balance(provider.address());
    TokenAmount ofRequester = token.balance(requester.address());
    TokenAmount paid = TokenAmount.of(400_000);
    rule(job, 2, paid);
    assertThat(token.balance(provider.address())).isEqualTo(ofProvider.plus(paid));
    assertThat(token.balance(requester.address()))
        .isEqualTo(ofRequester.plus(TokenAmount.of(600_000)));
    assertThat(escrow(job).status()).isEqualTo(EscrowStatus.RELEASED);
  }

  private static void rule(Hash job, int number, TokenAmount paid) {
    String call =
        JobEscrow.load(
                deployment.escrow().hex(),
                requester.rpc().web3j(),
                ContractReads.readOnly(requester.rpc()),
                new DefaultGasProvider())
            .rule(requester.address().hex(), job.bytes(), BigInteger.valueOf(number), paid.units())
            .encodeFunctionCall();
    String data =
        "0x" + "00".repeat(12) + deployment.escrow().hex().substring(2) + call.substring(2);
    provider
        .sender()
        .send("rule:" + job.hex(), "rule", () -> Call.of(REFEREE, data), Party.TIMEOUT);
  }

  @Test
  void aDisputeThatNobodyRulesOverGivesItsMoneyBack() {
    Hash job = funded("unruled");
    asProvider.submitProof(requester.address(), job, 1, hash("root 1"), PART);
    asRequester.dispute(job, 1);
    assertThatThrownBy(() -> asRequester.expireDispute(requester.address(), job, 1))
        .isInstanceOf(TransactionRefusedException.class);
    TokenAmount ofProvider = token.balance(provider.address());
    TokenAmount ofRequester = token.balance(requester.address());
    later(RULING.plusSeconds(1));
    assertThatThrownBy(() -> rule(job, 1, PART)).isInstanceOf(TransactionRefusedException.class);
    asRequester.expireDispute(requester.address(), job, 1);
    asProvider.decline(requester.address(), job);
    assertThat(escrow(job).status()).isEqualTo(EscrowStatus.REFUNDED);
    assertThat(escrow(job).paid()).isEqualTo(1);
    assertThat(token.balance(provider.address())).isEqualTo(ofProvider);
    assertThat(token.balance(requester.address())).isEqualTo(ofRequester.plus(PRICE));
  }

  @Test
  void aDisputeAfterTheChallengeTimeComesTooLate() {
    Hash job = funded("too late");
    asProvider.submitProof(requester.address(), job, 1, hash("root 1"), PART);
    later(asRequester.challengeTime().plusSeconds(1));
    assertThatThrownBy(() -> asRequester.dispute(job, 1))
        .isInstanceOf(TransactionRefusedException.class);
    TokenAmount before = token.balance(provider.address());
    asProvider.release(requester.address(), job, 1);
    assertThat(token.balance(provider.address())).isEqualTo(before.plus(PART));
  }
}
