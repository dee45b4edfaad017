package io.rigmesh.node.chain;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.ledger.channel.CloseRequests;
import io.rigmesh.ledger.channel.Handover;
import io.rigmesh.ledger.channel.RedemptionSettings;
import io.rigmesh.ledger.channel.WatchedChannel;
import io.rigmesh.ledger.channel.Watchtower;
import io.rigmesh.node.Service;
import io.rigmesh.node.Watch;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Guards channels of others: looks at each new block, and every few seconds in any case, whether
/// one was asked to close, and hands its newest voucher in. The node pays the gas; a voucher that
/// is not worth it is left alone.
public final class WatchService implements Service, Watch {
  private static final Logger LOG = LoggerFactory.getLogger(WatchService.class);
  private static final int CLAIMS_MAX = 100;
  private static final Duration LOOK_EVERY = Duration.ofSeconds(15);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(15);
  private static final Duration STOP_MAX = Duration.ofSeconds(5);

  private final NodeConfig config;
  private final ChainLink chain;
  private final LinkedChannels contract;
  private final Database database;
  private final Clock clock;
  private final Bell bell = new Bell();
  private volatile @Nullable Watchtower tower;
  private @Nullable Thread thread;
  private boolean failing;

  /// A watchtower that is not started.
  public WatchService(
      NodeConfig config, ChainLink chain, LinkedChannels contract, Database database, Clock clock) {
    this.config = config;
    this.chain = chain;
    this.contract = contract;
    this.database = database;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "watchtower";
  }

  @Override
  public void start() {
    Watchtower started =
        Watchtower.start(
            database.jdbi(),
            contract,
            new CloseRequests(
                () -> chain.require().rpc(),
                chain.contracts().channels(),
                Math.max(1, config.chain().confirmations())),
            new RedemptionSettings(
                1,
                new BigDecimal(config.channels().unitsPerEther().units()),
                CLAIMS_MAX,
                LOOK_EVERY,
                RETRY_AFTER),
            channelsMax(),
            clock);
    tower = started;
    chain.onHead(bell::ring);
    thread = Thread.ofVirtual().name("watchtower").start(() -> run(started));
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
      try {
        running.join(STOP_MAX);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    Watchtower started = tower;
    if (started != null) {
      started.close();
    }
  }

  private void run(Watchtower started) {
    try {
      while (true) {
        look(started);
        bell.await(LOOK_EVERY);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look(Watchtower started) {
    try {
      started.look();
      if (failing) {
        LOG.info("watching others' channels goes on");
        failing = false;
      }
    } catch (ChainUnavailableException e) {
      // Said by the link itself.
      LOG.debug("others' channels wait for the chain", e);
    } catch (LedgerException e) {
      // Each failure is said once, not at every block.
      if (!failing) {
        LOG.warn("others' channels cannot be watched, trying again: {}", e.getMessage());
        failing = true;
      }
    }
  }

  private Watchtower started() {
    Watchtower running = tower;
    if (running == null) {
      throw new ChannelException("The watchtower is not started yet; try again.");
    }
    return running;
  }

  @Override
  public int channelsMax() {
    return config.watchtower().channelsMax();
  }

  @Override
  public List<WatchedChannel> channels() {
    Watchtower running = tower;
    return running == null ? List.of() : running.channels();
  }

  @Override
  public void add(Handover handover) {
    Address token = chain.contracts().token();
    if (!handover.terms().token().equals(token)) {
      throw new ChannelException(
          "The channel %s is of the token %s, and this node knows what its own, %s, is worth in gas."
              .formatted(handover.terms().id(), handover.terms().token(), token));
    }
    if (channelsMax() == 0) {
      throw new ChannelException(
          "This node guards no channels of others: watchtower.channels-max is 0.");
    }
    started().watch(handover.terms(), handover.voucher());
    bell.ring();
  }

  @Override
  public boolean remove(Hash channel) {
    return started().forget(channel);
  }

  @Override
  public Optional<Handover> handover(Hash channel) {
    return Handover.of(database.jdbi(), contract.domain(), contract.account(), channel);
  }
}
