package io.rigmesh.node.stake;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.network.PeerIdKeys;
import io.rigmesh.node.network.offers.LiveOffers;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A provider that stakes, and a requester that reads whose stake stands behind which peer, on a
/// real chain.
class StakesIT {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);

  @TempDir Path folder;

  private static Offer offer(Address account, PeerId peer) {
    return new Offer(
        peer.toString(), List.of(), account, List.of(), List.of(), TokenAmount.ZERO, "", 0, 1);
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(10_000_000);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  private Deployment deploy(DevChain chain, Address provider) {
    AccountKey deployer = AccountKey.generate();
    chain.setBalance(deployer.address(), BigInteger.TEN.pow(18));
    DataSource source = LedgerSchema.open(folder.resolve("deployer.db"));
    LedgerSchema.migrate(source);
    try (ChainRpc rpc = ChainRpc.connect(RpcSettings.of(31_337, chain.endpoint()));
        TransactionSender sender =
            TransactionSender.start(
                rpc,
                new JdbiIntentStore(Jdbi.create(source), 31_337, deployer.address()),
                AccountSigner.of(deployer),
                SenderSettings.development(),
                SendListener.NONE,
                Clock.systemUTC())) {
      Deployment deployment = DevDeployment.standard().deploy(sender, TIMEOUT);
      new TokenClient(sender, AccountSigner.of(deployer), deployment.token(), TIMEOUT)
          .transfer(provider, TokenAmount.of(9_000), "stake");
      return deployment;
    }
  }

  @Test
  void aStakeStandsBehindThePeerThatItsAccountBoundAndBehindNoOther() {
    try (DevChain chain =
        DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))))) {
      AccountKey key = AccountKey.generate();
      chain.setBalance(key.address(), BigInteger.TEN.pow(18));
      deploy(chain, key.address()).write(folder.resolve("deployment.json"));
      NodeConfig config =
          ConfigLoader.load(
                  folder.resolve("home"),
                  Optional.empty(),
                  Map.of(),
                  Map.of(
                      "chain.rpc-urls",
                      chain.endpoint().toString(),
                      "chain.poll-millis",
                      "100",
                      "chain.head-age-seconds-max",
                      "86400",
                      "chain.deployment-file",
                      folder.resolve("deployment.json").toString()))
              .config();
      try (Database database = Database.open(folder.resolve("node.db"), LedgerSchema.LOCATION)) {
        ChainLink link =
            new ChainLink(
                config.chain(),
                Contracts.of(config.chain()),
                AccountSigner.of(key),
                database,
                Clock.systemUTC());
        Ed25519PrivateKey peerKey = Ed25519PrivateKey.generate(new SecureRandom());
        PeerId stranger = PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
        Offer honest = offer(key.address(), PeerId.of(peerKey.publicKey()));
        Offer borrowed = offer(key.address(), stranger);
        Offer poor = offer(AccountKey.generate().address(), stranger);
        LiveOffers all = () -> List.of(honest, borrowed, poor);
        Stakes stakes = new Stakes(link, all, new PeerIdKeys(), Clock.systemUTC());
        PeerStake binding = new PeerStake(link, key.address(), peerKey);
        link.start();
        binding.start();
        try {
          await(() -> link.trouble().isEmpty());
          link.require().registry().stake(TokenAmount.of(7_000), "first");
          await(
              () -> link.require().registry().peerOf(key.address(), new PeerIdKeys()).isPresent());
          StakedOffers staked = new StakedOffers(all, stakes, TokenAmount.of(7_000));
          assertThat(staked.live()).as("nothing is read yet").isEmpty();
          stakes.start();
          await(() -> stakes.of(poor).isPresent());
          assertThat(stakes.of(honest)).contains(TokenAmount.of(7_000));
          assertThat(stakes.of(borrowed)).contains(TokenAmount.ZERO);
          assertThat(stakes.of(poor)).contains(TokenAmount.ZERO);
          assertThat(staked.live()).containsExactly(honest);
          assertThat(staked.explain(new Refusal(RefusalCode.UNAVAILABLE, "none fits")).sentence())
              .startsWith("none fits; 2 offers are left out")
              .contains("requester.stake-minimum = 7000");
          assertThat(new StakedOffers(all, stakes, TokenAmount.ZERO).live()).hasSize(3);
        } finally {
          stakes.stop();
          binding.stop();
          link.stop();
        }
      }
    }
  }

  @Test
  void aPeerIdThatIsNoneOrHoldsNoKeyIsSignedByNobody() {
    PeerIdKeys keys = new PeerIdKeys();
    assertThat(keys.isSigned(new byte[] {1, 2, 3}, new byte[0], new byte[64])).isFalse();
    byte[] hashed = new byte[34];
    hashed[0] = 0x12;
    hashed[1] = 0x20;
    assertThat(keys.isSigned(hashed, new byte[0], new byte[64])).isFalse();
    Ed25519PrivateKey key = Ed25519PrivateKey.generate(new SecureRandom());
    byte[] text = {7};
    byte[] id = PeerId.of(key.publicKey()).bytes();
    assertThat(keys.isSigned(id, text, key.sign(text))).isTrue();
    assertThat(keys.isSigned(id, new byte[] {8}, key.sign(text))).isFalse();
    assertThat(keys.isSigned(id, text, new byte[3])).isFalse();
  }
}
