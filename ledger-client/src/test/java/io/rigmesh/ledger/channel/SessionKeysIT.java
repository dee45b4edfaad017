package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// Keys that spend from a wallet that they do not hold, on a real chain.
class SessionKeysIT {
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);

  @TempDir Path folder;
  private DevChain chain;
  private Deployment deployment;
  private ChannelParty owner;
  private ChannelParty provider;
  private int opened;

  @BeforeEach
  void start() {
    chain = TestChain.start();
    Party rich = party(AccountKey.generate(), ETHER);
    deployment = DevDeployment.standard().deploy(rich.sender(), Party.TIMEOUT);
    owner = ChannelParty.open(rich, deployment, ChannelParty.ASLEEP);
    provider =
        ChannelParty.open(party(AccountKey.generate(), ETHER), deployment, ChannelParty.ASLEEP);
  }

  @AfterEach
  void stop() {
    provider.close();
    owner.close();
    chain.close();
  }

  private Party party(AccountKey key, BigInteger wei) {
    chain.setBalance(key.address(), wei);
    return Party.open(key, folder.resolve("node" + opened++ + ".db"), chain);
  }

  private static TokenAmount of(long units) {
    return TokenAmount.of(units);
  }

  private Instant in(long seconds) {
    return Instant.ofEpochSecond(
        owner.party.rpc().head().timestamp().plusSeconds(seconds).getEpochSecond());
  }

  private ChannelParty key(AccountKey key, BigInteger wei) {
    return new ChannelParty(
        party(key, wei),
        deployment,
        owner.party.address(),
        1,
        ChannelParty.ASLEEP,
        Party.TIMEOUT,
        Clock.systemUTC());
  }

  private ChannelTerms pay(ChannelParty payer, String name, long amount) {
    Hash job = hash(name);
    ChannelTerms terms = payer.payer.reserve(provider.party.address(), job, of(amount), LATER);
    assertThat(provider.payee.admit(terms, job, of(amount), LATER))
        .isInstanceOf(Admission.Admitted.class);
    provider.payee.owe(job, of(amount));
    Payment payment = payer.payer.pay(terms.id(), job, of(amount), List.of());
    assertThat(provider.payee.take(payment)).isInstanceOf(Taking.Taken.class);
    provider.payee.end(job);
    payer.payer.release(job);
    return terms;
  }

  @Test
  void aKeySpendsItsPayersBalanceAndNotAUnitAboveItsLimit() {
    owner.client.deposit(of(5_000_000), "for the key");
    AccountKey key = AccountKey.generate();
    try (ChannelParty session = key(key, ETHER)) {
      assertThatThrownBy(() -> pay(session, "0", 1))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("never authorised")
          .hasMessageContaining("rigmesh wallet authorise " + key.address());

      owner.client.authorise(key.address(), deployment.token(), of(1_500_000), in(86_400), "1");
      ChannelTerms terms = pay(session, "1", 900_000);
      assertThat(terms.payer()).isEqualTo(owner.party.address());
      assertThat(terms.signer()).isEqualTo(key.address());
      // The least that an opening moves is a million; what the limit leaves is enough for this one.
      assertThat(pay(session, "2", 600_000)).isEqualTo(terms);
      assertThat(session.client.channel(terms).orElseThrow().deposit()).isEqualTo(of(1_500_000));
      assertThatThrownBy(() -> pay(session, "3", 1))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("of its limit of 1500000 only 0 are left");

      provider.redeem();
      assertThat(provider.client.balance(provider.party.address(), deployment.token()))
          .isEqualTo(of(1_500_000));
      assertThat(owner.client.balance(owner.party.address(), deployment.token()))
          .isEqualTo(of(3_500_000));
      // The key paid its own gas, and nothing else was ever the key's.
      assertThat(owner.party.token(deployment).balance(key.address())).isEqualTo(TokenAmount.ZERO);
      assertThat(session.party.rpc().balanceWei(key.address())).isLessThan(ETHER);
    }
  }

  @Test
  void aKeyWhoseTimeIsOverOrWhoseRightIsTakenAwayOpensNothing() {
    owner.client.deposit(of(5_000_000), "for the key");
    AccountKey key = AccountKey.generate();
    try (ChannelParty session = key(key, ETHER)) {
      Instant soon = in(600);
      owner.client.authorise(key.address(), deployment.token(), of(4_000_000), soon, "1");
      ChannelTerms terms = pay(session, "1", 800_000);
      chain.request("evm_increaseTime", 601);
      TestChain.mine(chain, 1);
      assertThatThrownBy(() -> pay(session, "2", 300_000))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("ended at " + soon);
      // What is in the channel still pays: the payee looks at nothing but the channel.
      assertThat(pay(session, "3", 150_000)).isEqualTo(terms);

      owner.client.authorise(key.address(), deployment.token(), of(4_000_000), in(86_400), "2");
      pay(session, "4", 300_000);
      owner.client.revoke(key.address(), deployment.token(), "1");
      assertThatThrownBy(() -> pay(session, "5", 2_000_000))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("has revoked that");

      // The key leaves what it opened, and the rest is the payer's.
      session.payer.leave(terms.id());
      assertThat(session.client.channel(terms).orElseThrow().closesAt()).isPresent();
    }
  }

  @Test
  void aKeyWithoutGasAndAPayerWithoutABalanceAreTold() {
    AccountKey key = AccountKey.generate();
    owner.client.authorise(key.address(), deployment.token(), of(4_000_000), in(86_400), "1");
    try (ChannelParty session = key(key, BigInteger.ONE)) {
      assertThatThrownBy(() -> pay(session, "1", 300_000))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("it must deposit that itself");
      owner.client.deposit(of(5_000_000), "for the key");
      assertThatThrownBy(() -> pay(session, "2", 300_000))
          .isInstanceOf(InsufficientGasFundsException.class)
          .hasMessageContaining(key.address().hex());
    }
  }

  @Test
  void aWordThatAWalletSignedElsewhereIsHandedInByAnybodyOnce() throws Exception {
    AccountKey wallet = AccountKey.generate();
    byte[] secret = HexFormat.of().parseHex("11".repeat(32));
    AccountKey cold = AccountKey.of(secret);
    AccountKey key = AccountKey.generate();
    SessionKey word =
        provider.client.word(
            cold.address(), key.address(), deployment.token(), of(700), in(86_400));
    Path document = folder.resolve("word.json");
    Files.writeString(
        document,
        JsonMapper.builder()
            .build()
            .writeValueAsString(word.typedData().document(provider.client.domain())));
    WalletSignature signature =
        WalletSignature.fromHex(
            Cast.run(
                "wallet",
                "sign",
                "--private-key",
                "0x" + "11".repeat(32),
                "--data",
                "--from-file",
                document.toString()));

    WalletSignature false1 = WalletSignature.of(word.sign(wallet, provider.client.domain()));
    assertThatThrownBy(() -> provider.client.authorise(word, false1))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("as far as can be told " + wallet.address());
    provider.client.authorise(word, signature);
    Session session = provider.client.session(cold.address(), key.address(), deployment.token());
    assertThat(session.limit()).isEqualTo(of(700));
    assertThat(session.expiresAt().getEpochSecond()).isEqualTo(word.expiresAtSeconds());
    // Again is the same; by another account it is used up.
    provider.client.authorise(word, signature);
    assertThatThrownBy(() -> owner.client.authorise(word, signature))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("was handed in already");
  }

  @Test
  void aWalletThatIsAContractGivesItsWordAsWell() {
    ContractWallet wallet = ContractWallet.deploy(owner.party, AccountKey.generate());
    Address key = AccountKey.generate().address();
    SessionKey word =
        provider.client.word(wallet.address(), key, deployment.token(), of(700), in(86_400));
    WalletSignature signature =
        WalletSignature.of(wallet.sign(word.typedData(), provider.client.domain()));
    wallet.refuseAll();
    assertThatThrownBy(() -> provider.client.authorise(word, signature))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("has not signed this word");

    ContractWallet other = ContractWallet.deploy(owner.party, AccountKey.generate());
    SessionKey theirs =
        provider.client.word(other.address(), key, deployment.token(), of(900), in(86_400));
    provider.client.authorise(
        theirs, WalletSignature.of(other.sign(theirs.typedData(), provider.client.domain())));
    assertThat(provider.client.session(other.address(), key, deployment.token()).limit())
        .isEqualTo(of(900));
  }
}
