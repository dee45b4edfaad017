package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.channel.ChannelParty.Money;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Channels that hold the chain's own coin, and channels whose vouchers a contract signs, on a real
/// chain.
class OtherMoneyIT {
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);

  @TempDir Path folder;
  private DevChain chain;
  private Deployment deployment;
  private Party rich;
  private int opened;

  @BeforeEach
  void start() {
    chain = TestChain.start();
    rich = party(AccountKey.generate());
    deployment = DevDeployment.standard().deploy(rich.sender(), Party.TIMEOUT);
  }

  @AfterEach
  void stop() {
    rich.close();
    chain.close();
  }

  private Party party(AccountKey key) {
    chain.setBalance(key.address(), ETHER);
    return Party.open(key, folder.resolve("node" + opened++ + ".db"), chain);
  }

  private static TokenAmount of(long units) {
    return TokenAmount.of(units);
  }

  private ChannelParty etherParty() {
    Party party = party(AccountKey.generate());
    return ChannelParty.open(
        party,
        deployment,
        new Money(party.address(), party.signer(), Address.ZERO, PayeeSettings.standard()));
  }

  private ChannelParty tokenParty(AccountSigner signer, PayeeSettings takes) {
    Party party = party(AccountKey.generate());
    rich.token(deployment).transfer(party.address(), of(10_000_000), "for " + party.address());
    return ChannelParty.open(
        party, deployment, new Money(party.address(), signer, deployment.token(), takes));
  }

  private static Payment promise(ChannelParty payer, ChannelParty payee, String name, long amount) {
    Hash job = hash(name);
    ChannelTerms terms = payer.payer.reserve(payee.party.address(), job, of(amount), LATER);
    assertThat(payee.payee.admit(terms, job, of(amount), LATER))
        .isInstanceOf(Admission.Admitted.class);
    payee.payee.owe(job, of(amount));
    return payer.payer.pay(terms.id(), job, of(amount), List.of(hash("receipt of " + name)));
  }

  private static ChannelTerms pay(
      ChannelParty payer, ChannelParty payee, String name, long amount) {
    Payment payment = promise(payer, payee, name, amount);
    assertThat(payee.payee.take(payment)).isInstanceOf(Taking.Taken.class);
    payee.payee.end(hash(name));
    payer.payer.release(hash(name));
    return payer.payer.channelOf(hash(name)).orElseThrow();
  }

  @Test
  void etherGoesFromAWalletThroughAChannelIntoAnother() {
    try (ChannelParty requester = etherParty();
        ChannelParty provider = etherParty()) {
      Address from = requester.party.address();
      Address to = provider.party.address();
      long half = ETHER.longValueExact() / 2;
      ChannelTerms terms = pay(requester, provider, "1", half);
      assertThat(terms.token()).isEqualTo(Address.ZERO);
      assertThat(requester.party.store().list("channel-deposit:")).hasSize(1);
      // The first opening takes what is needed from the wallet, and the gas.
      assertThat(requester.party.rpc().balanceWei(from)).isLessThan(BigInteger.valueOf(half));

      requester.client.deposit(Address.ZERO, of(3_000_000), "by hand");
      assertThat(requester.client.balance(from, Address.ZERO)).isEqualTo(of(3_000_000));
      assertThat(pay(requester, provider, "2", 2_000_000)).isEqualTo(terms);
      assertThat(requester.client.balance(from, Address.ZERO)).isEqualTo(of(1_000_000));
      assertThatThrownBy(() -> promise(requester, provider, "3", half))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("send it ether");

      provider.redeem();
      assertThat(provider.client.balance(to, Address.ZERO)).isEqualTo(of(half + 2_000_000));
      BigInteger before = rich.rpc().balanceWei(rich.address());
      provider.client.withdraw(Address.ZERO, of(half), rich.address(), "1");
      assertThat(rich.rpc().balanceWei(rich.address()).subtract(before))
          .isEqualTo(BigInteger.valueOf(half));

      requester.payer.leave(terms.id());
      chain.request("evm_increaseTime", 61);
      TestChain.mine(chain, 1);
      requester.client.close(terms);
      assertThat(requester.client.channel(terms).orElseThrow().closed()).isTrue();
    }
  }

  @Test
  void aChannelOfEtherIsWorthItsGasByItsOwnValue() {
    RedemptionSettings standard = RedemptionSettings.standard();
    BigInteger gas = ETHER.divide(BigInteger.valueOf(1_000));
    BigInteger twenty = gas.multiply(BigInteger.valueOf(20));
    assertThat(standard.isWorth(Address.ZERO, twenty, gas, 20)).isTrue();
    assertThat(standard.isWorth(Address.ZERO, twenty.subtract(BigInteger.ONE), gas, 20)).isFalse();
    // A thousandth of an ether is worth three of the token, whose units are millionths.
    Address token = deployment.token();
    assertThat(standard.isWorth(token, BigInteger.valueOf(60_000_000), gas, 20)).isTrue();
    assertThat(standard.isWorth(token, BigInteger.valueOf(59_999_999), gas, 20)).isFalse();
  }

  @Test
  void whoTakesKeysOnlyRefusesAChannelThatAContractSignsForBeforeAnyWork() {
    ContractWallet wallet = ContractWallet.deploy(rich, AccountKey.generate());
    try (ChannelParty requester = tokenParty(wallet, PayeeSettings.standard());
        ChannelParty provider = tokenParty(rich.signer(), PayeeSettings.standard())) {
      Hash job = hash("1");
      ChannelTerms terms = requester.payer.reserve(provider.party.address(), job, of(1_000), LATER);
      assertThat(provider.payee.admit(terms, job, of(1_000), LATER))
          .isInstanceOfSatisfying(
              Admission.Refused.class,
              refused ->
                  assertThat(refused.refusal().sentence())
                      .contains("signed by the contract " + wallet.address()));
    }
  }

  @Test
  void vouchersOfAContractArePaidAloneAndOneThatTurnsAwayKeepsNoOther() {
    ContractWallet wallet = ContractWallet.deploy(rich, AccountKey.generate());
    ContractWallet fickle = ContractWallet.deploy(rich, AccountKey.generate());
    PayeeSettings all = new PayeeSettings(true);
    AccountKey plain = AccountKey.generate();
    try (ChannelParty one = tokenParty(wallet, all);
        ChannelParty two = tokenParty(fickle, all);
        ChannelParty three = tokenParty(AccountSigner.of(plain), all);
        ChannelParty provider = tokenParty(rich.signer(), all)) {
      pay(one, provider, "1", 1_000);
      ChannelTerms turned = pay(two, provider, "2", 2_000);
      pay(three, provider, "3", 4_000);
      pay(one, provider, "4", 8_000);
      // The newest again asks nobody; a word that the owner never gave is no voucher.
      Payment newest = one.payer.latest(one.payer.channelOf(hash("4")).orElseThrow().id()).get();
      assertThat(provider.payee.take(newest)).isEqualTo(new Taking.Taken(of(0), of(9_000)));

      fickle.refuseAll();
      Payment refused = promise(two, provider, "5", 16_000);
      assertThat(provider.payee.take(refused))
          .isInstanceOfSatisfying(
              Taking.Refused.class,
              taking -> assertThat(taking.sentence()).contains("is not signed by the signer"));

      Address to = provider.party.address();
      provider.redemption.redeemAll();
      long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
      while (!provider.client.balance(to, deployment.token()).equals(of(13_000))) {
        assertThat(System.nanoTime()).as("before the deadline").isLessThan(deadline);
        provider.redemption.redeemAll();
      }
      assertThat(provider.client.channel(turned).orElseThrow().redeemed())
          .isEqualTo(TokenAmount.ZERO);
      // One call for the key's voucher, one for the contract's, none for what would revert.
      assertThat(provider.party.store().list("channel-redeem:")).hasSize(2);
    }
  }

  @Test
  void aWatchtowerTakesTheVoucherOfAContractThatStandsByIt() {
    ContractWallet wallet = ContractWallet.deploy(rich, AccountKey.generate());
    PayeeSettings all = new PayeeSettings(true);
    try (ChannelParty requester = tokenParty(wallet, all);
        ChannelParty provider = tokenParty(rich.signer(), all);
        Watchtower watchtower =
            Watchtower.start(
                requester.party.jdbi(),
                requester.client,
                new CloseRequests(requester.party::rpc, deployment.channels(), 1),
                ChannelParty.ASLEEP,
                1,
                Clock.systemUTC())) {
      ChannelTerms terms = pay(requester, provider, "1", 1_000);
      watchtower.watch(terms, requester.payer.latest(terms.id()).orElseThrow().voucher());
      wallet.refuseAll();
      Payment later = promise(requester, provider, "2", 1_000);
      assertThatThrownBy(() -> watchtower.watch(terms, later.voucher()))
          .isInstanceOf(ChannelException.class)
          .hasMessageContaining("not signed by the signer");
    }
  }
}
