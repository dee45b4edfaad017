package io.rigmesh.node.chain;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.channel.ChannelEvents;
import io.rigmesh.ledger.channel.ChannelNews;
import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.Redemption;
import io.rigmesh.ledger.channel.RedemptionSettings;
import io.rigmesh.ledger.channel.Session;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.Followed;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ChannelsConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What happens to this node's channels by themselves: their events are followed, vouchers that are
/// worth their gas are redeemed, all of a channel that is being closed are redeemed in time, and
/// channels that were left are closed.
public final class ChannelsService implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelsService.class);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(30);
  private static final int CLAIMS_MAX = 500;
  private static final int BLOCKS_PER_QUERY = 1_000;
  private static final Duration CLOSE_EVERY = Duration.ofSeconds(15);

  private final ChainConfig chainConfig;
  private final ChannelsConfig config;
  private final ChainLink chain;
  private final LinkedChannels contract;
  private final PayeeBook earned;
  private final PayerBook promised;
  private final Database database;
  private final Clock clock;
  private @Nullable Redemption redemption;
  private volatile @Nullable LedgerFollower follower;
  private @Nullable Thread thread;

  /// The service of a node's two books.
  ///
  /// @param earned what others have promised to it
  /// @param promised what it has promised to others
  public ChannelsService(
      ChainConfig chainConfig,
      ChannelsConfig config,
      ChainLink chain,
      LinkedChannels contract,
      PayeeBook earned,
      PayerBook promised,
      Database database,
      Clock clock) {
    this.chainConfig = chainConfig;
    this.config = config;
    this.chain = chain;
    this.contract = contract;
    this.earned = earned;
    this.promised = promised;
    this.database = database;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "channels";
  }

  @Override
  public void start() {
    redemption =
        Redemption.start(
            earned,
            contract,
            new RedemptionSettings(
                config.redeemGasMultiple(),
                new BigDecimal(config.unitsPerEther().units()),
                CLAIMS_MAX,
                Duration.ofSeconds(Math.max(1, config.redeemEverySeconds())),
                RETRY_AFTER),
            clock);
    thread = Thread.ofVirtual().name("channels").start(this::run);
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
      try {
        running.join(Duration.ofSeconds(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    LedgerFollower following = follower;
    if (following != null) {
      following.close();
    }
    Redemption redeeming = redemption;
    if (redeeming != null) {
      redeeming.close();
    }
  }

  private void run() {
    try {
      while (follower == null) {
        try {
          follow();
        } catch (ChainUnavailableException e) {
          LOG.debug("the events of channels wait for the chain", e);
          Thread.sleep(Duration.ofMillis(chainConfig.pollMillis()));
        }
      }
      while (true) {
        Thread.sleep(CLOSE_EVERY);
        try {
          promised.closeDue();
        } catch (LedgerException e) {
          LOG.warn("channels that were left are not closed yet: {}", e.getMessage());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// The node's account, and the one that it spends for.
  private List<Address> accounts() {
    return Stream.concat(Stream.of(contract.account()), config.payer().stream())
        .distinct()
        .toList();
  }

  /// Says once what the node may spend of another account's money.
  private void saySession(ChainAccess access, Address payer) {
    Address token = chain.contracts().token();
    Session session = access.channels().session(payer, contract.account(), token);
    TokenAmount balance = access.channels().balance(payer, token);
    if (session.left(clock.instant()).equals(TokenAmount.ZERO)) {
      LOG.warn(
          "channels are to be paid by {}, and {} may move nothing of its {} into them; authorise it with that account's key: rigmesh wallet authorise {} --limit AMOUNT",
          payer,
          contract.account(),
          balance,
          contract.account());
    } else {
      LOG.info(
          "channels are paid by {}, of whose {} the key {} may move {} more until {}",
          payer,
          balance,
          contract.account(),
          session.left(clock.instant()),
          session.expiresAt());
    }
  }

  private void follow() {
    ChainAccess access = chain.require();
    config
        .payer()
        .filter(payer -> !payer.equals(contract.account()))
        .ifPresent(payer -> saySession(access, payer));
    Runnable wake =
        () -> {
          Redemption redeeming = redemption;
          if (redeeming != null) {
            redeeming.wake();
          }
        };
    LedgerFollower following =
        LedgerFollower.start(
            access.rpc(),
            database.jdbi(),
            "channels",
            List.of(
                new Followed<>(
                    new ChannelEvents(chain.contracts().channels(), accounts()),
                    new ChannelNews(Optional.of(promised), wake))),
            new FollowSettings(
                chain.contracts().fromBlock(),
                Math.max(1, chainConfig.confirmations()),
                BLOCKS_PER_QUERY,
                Duration.ofMillis(chainConfig.pollMillis())));
    follower = following;
    chain.onHead(following::lookNow);
  }
}
