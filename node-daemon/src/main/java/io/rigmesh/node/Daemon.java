package io.rigmesh.node;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.ledger.channel.PayeeSettings;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.PayerSettings;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.ChannelsService;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.chain.LinkedChannels;
import io.rigmesh.node.chain.Transactions;
import io.rigmesh.node.chain.WatchService;
import io.rigmesh.node.config.EffectiveConfig;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.models.OfferedModels;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.NetworkDesk;
import io.rigmesh.node.network.NetworkService;
import io.rigmesh.node.network.PeerIdKeys;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.blob.BlobProtocol;
import io.rigmesh.node.network.blob.BlobServer;
import io.rigmesh.node.network.blob.JobBlobAccess;
import io.rigmesh.node.network.blob.PeerSupply;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.job.JobProtocol;
import io.rigmesh.node.network.job.JobServer;
import io.rigmesh.node.network.offers.Announcer;
import io.rigmesh.node.network.offers.ModelProvision;
import io.rigmesh.node.network.offers.NodeTerms;
import io.rigmesh.node.network.offers.OfferExchange;
import io.rigmesh.node.provider.Dispatcher;
import io.rigmesh.node.provider.JobIntake;
import io.rigmesh.node.provider.MeasuredDevices;
import io.rigmesh.node.provider.Payments;
import io.rigmesh.node.provider.PriceList;
import io.rigmesh.node.provider.ProviderFlow;
import io.rigmesh.node.receipts.NodeAnchors;
import io.rigmesh.node.requester.JobSubmission;
import io.rigmesh.node.requester.Probes;
import io.rigmesh.node.requester.RequesterFlow;
import io.rigmesh.node.stake.PeerStake;
import io.rigmesh.node.stake.StakedOffers;
import io.rigmesh.node.stake.Stakes;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.Drivers;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.node.store.SpeedStore;
import io.rigmesh.node.wallet.NodeWallet;
import io.rigmesh.node.workers.WorkerLaunches;
import io.rigmesh.node.workers.Workers;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.scheduler.pricing.Pricing;
import io.rigmesh.scheduler.queue.Limits;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A node, put together by hand: every service is in one list, starts in its order, and stops in
/// the reverse one.
public final class Daemon implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

  private final Node node;
  private final List<Service> services;
  private final Deque<Service> started = new ArrayDeque<>();
  private final List<AutoCloseable> held;

  private Daemon(Node node, List<Service> services, List<AutoCloseable> held) {
    this.node = node;
    this.services = services;
    this.held = held;
  }

  /// Opens a node: folder, keys, database. Nothing runs yet.
  ///
  /// @param interfaces make the services through which others reach the node, such as REST; they
  ///   start last and stop first
  /// @throws io.rigmesh.node.config.ConfigException if a setting keeps it from working
  public static Daemon open(EffectiveConfig effective, List<Function<Node, Service>> interfaces) {
    NodeConfig config = effective.config();
    Clock clock = Clock.systemUTC();
    Contracts contracts = Contracts.of(config.chain());
    Deque<AutoCloseable> held = new ArrayDeque<>();
    try {
      Home home = hold(held, Home.open(config));
      AccountKey key = home.key();
      Database database = hold(held, Database.open(config.databaseFile(), LedgerSchema.LOCATION));
      JobStore store = hold(held, new JobStore(database, clock, config.jobs().eventsMax()));
      MilestoneStore milestones = new MilestoneStore(database);
      Blobs blobs = FileBlobs.open(config.blobsFolder(), config.blobs());

      ChainLink chain =
          new ChainLink(config.chain(), contracts, AccountSigner.of(key), database, clock);
      Pricing pricing = PriceList.of(config.provider());
      Tally tally = new Tally();
      WorkerLaunches launches = new WorkerLaunches(config);
      Dispatcher dispatcher = new Dispatcher(limits(config), new SpeedStore(database), clock);
      Workers workers = new Workers(config.workers(), launches, dispatcher);
      LinkedChannels channels = new LinkedChannels(chain, key.address());
      PayeeBook earned =
          new PayeeBook(
              database.jdbi(),
              channels,
              key.address(),
              contracts.token(),
              new PayeeSettings(config.channels().contractSigners()),
              clock);
      PayerBook promised =
          new PayerBook(
              database.jdbi(),
              channels,
              AccountSigner.of(key),
              config.channels().payer().orElse(key.address()),
              contracts.token(),
              new PayerSettings(config.channels().depositMinimum()),
              clock);
      Payments payments =
          new Payments(config, store, milestones, blobs, chain, key, earned, pricing, clock);
      ProviderFlow provider =
          new ProviderFlow(
              config,
              store,
              blobs,
              chain,
              key,
              dispatcher,
              workers,
              pricing,
              payments,
              tally,
              clock);
      Domain domain = contracts.domain();
      NetworkService network =
          new NetworkService(config.network(), config.peersFile(), home.peerKey(), agent());
      Blames blames = new Blames(network::letGo);
      OfferExchange offers = new OfferExchange(config.network().offersMax(), domain, blames, clock);
      Stakes stakes = new Stakes(chain, offers, new PeerIdKeys(), clock);
      StakedOffers staked = new StakedOffers(offers, stakes, config.requester().stakeMinimum());
      OfferedModels models =
          new OfferedModels(
              store, blobs, config.provider().enabled() && config.provider().modelsOffered());
      BlobFetcher fetcher = new BlobFetcher(network, blobs, blames, network::providers);
      JobClient client =
          new JobClient(
              network,
              network.self(),
              key,
              domain,
              contracts.market(),
              blames,
              Duration.ofSeconds(config.requester().timeoutSeconds()));
      Probes probes = new Probes();
      RequesterFlow requester =
          new RequesterFlow(
              config,
              store,
              milestones,
              blobs,
              chain,
              promised,
              key,
              staked,
              client,
              fetcher,
              probes,
              launches,
              clock);
      Drivers drivers =
          new Drivers(
              store,
              Map.of(JobRole.PROVIDER, provider, JobRole.REQUESTER, requester),
              config.jobs().retryDelayMillisMax());
      payments.onPaid(drivers::wake);
      Transactions transactions = new Transactions(chain.intents());
      NodeJobs jobs =
          new NodeJobs(
              store,
              blobs,
              drivers,
              new JobIntake(
                  config, store, blobs, chain, key.address(), dispatcher, pricing, payments, clock),
              new JobSubmission(config, store, blobs, key, domain, staked, clock),
              provider,
              requester,
              milestones,
              transactions,
              tally);
      BlobServer blobServer =
          new BlobServer(
              blobs,
              new JobBlobAccess(store, milestones, blobs, models, probes, domain),
              config.network().uploadBytesPerSecondMax());
      JobServer jobServer =
          new JobServer(
              jobs,
              jobs::accept,
              (peer, inputBytes) -> new PeerSupply(fetcher, peer, inputBytes),
              domain,
              contracts.market(),
              payments.till(),
              payments.proofs());
      network.add((host, gossip) -> {
        offers.startOn(host, gossip);
        return offers;
      });
      network.add((host, _) -> {
        blobServer.serveOn(host);
        return () -> host.unhandle(BlobProtocol.ID);
      });
      // What was promised is done, also after the node was told to take no more jobs.
      boolean provides =
          config.provider().enabled() || !store.unfinished(JobRole.PROVIDER).isEmpty();
      if (provides) {
        network.add((host, _) -> {
          jobServer.serveOn(host);
          return () -> host.unhandle(JobProtocol.ID);
        });
      }
      WatchService watch = new WatchService(config, chain, channels, database, clock);
      Node node =
          new LiveNode(
              config,
              key.address(),
              jobs,
              blobs,
              store,
              chain,
              transactions,
              dispatcher,
              workers,
              pricing,
              tally,
              models,
              new NetworkDesk(network, offers, blobServer, fetcher, blames),
              new NodeChannels(earned, promised),
              hold(held, new NodeWallet(config, chain, key.address(), database)),
              new NodeAnchors(chain, key.address(), database, store, clock),
              watch,
              stakes);

      List<Service> services = new ArrayList<>();
      services.add(chain);
      services.add(
          new ChannelsService(
              config.chain(),
              config.channels(),
              chain,
              channels,
              earned,
              promised,
              database,
              clock));
      services.add(watch);
      services.add(dispatcher);
      if (provides) {
        services.add(workers);
      }
      services.add(network);
      services.add(stakes);
      services.add(payments.proofs());
      services.addAll(requester.services());
      services.add(drivers);
      if (config.provider().enabled()) {
        services.add(new PeerStake(chain, key.address(), home.peerKey()));
        services.add(new ModelProvision(network, models));
        services.add(
            new Announcer(
                new NodeTerms(
                    config.provider(),
                    key.address(),
                    network,
                    workers,
                    dispatcher,
                    pricing,
                    models,
                    new MeasuredDevices(config.measuredFile())),
                offers,
                store,
                key,
                home.peerKey(),
                domain,
                config.provider().offerSeconds(),
                clock));
      }
      interfaces.forEach(make -> services.add(make.apply(node)));
      return new Daemon(node, List.copyOf(services), List.copyOf(held));
    } catch (RuntimeException e) {
      closeAll(held);
      throw e;
    }
  }

  /// What peers are told of this software.
  private static String agent() {
    String version = Daemon.class.getPackage().getImplementationVersion();
    return "rigmesh/" + (version == null ? "development" : version);
  }

  private static Limits limits(NodeConfig config) {
    return new Limits(
        config.provider().queueLengthMax(),
        config.provider().placeSeconds() * 1_000L,
        config.workers().silenceSecondsMax() * 1_000L,
        ChainLink.settleMargin(config).toMillis());
  }

  private static <T extends AutoCloseable> T hold(Deque<AutoCloseable> held, T resource) {
    held.push(resource);
    return resource;
  }

  /// Starts every service. If one does not start, those before it are stopped again.
  public void start() {
    for (Service service : services) {
      // First, so that a service that failed half-way is stopped too.
      started.push(service);
      try {
        service.start();
      } catch (RuntimeException e) {
        close();
        throw e;
      }
      LOG.debug("{} started", service.name());
    }
    LOG.info("the node {} is up", node.info().account());
  }

  /// Stops every service, the last started first, and lets go of the folder.
  @Override
  public void close() {
    while (!started.isEmpty()) {
      Service service = started.pop();
      try {
        service.stop();
      } catch (RuntimeException e) {
        LOG.error("{} did not stop cleanly", service.name(), e);
      }
    }
    closeAll(held);
  }

  private static void closeAll(Iterable<AutoCloseable> held) {
    for (AutoCloseable resource : held) {
      try {
        resource.close();
      } catch (Exception e) {
        LOG.error("{} did not close cleanly", resource.getClass().getSimpleName(), e);
      }
    }
  }
}
