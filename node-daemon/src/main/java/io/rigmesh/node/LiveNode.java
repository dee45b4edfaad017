package io.rigmesh.node;

import io.rigmesh.ledger.escrow.Stake;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.chain.ChainAccess;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.Transactions;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.node.models.OfferedModels;
import io.rigmesh.node.network.NetworkDesk;
import io.rigmesh.node.network.NetworkView;
import io.rigmesh.node.network.PeerView;
import io.rigmesh.node.provider.Dispatcher;
import io.rigmesh.node.receipts.Anchors;
import io.rigmesh.node.stake.Stakes;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.wallet.Purse;
import io.rigmesh.node.workers.Workers;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import io.rigmesh.scheduler.queue.Scheduler;
import io.rigmesh.scheduler.queue.Work;
import io.rigmesh.worker.process.WorkerDescription;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The running node as its interfaces see it.
final class LiveNode implements Node {
  private static final int TRANSACTIONS_SHOWN = 100;

  private final NodeConfig config;
  private final Address account;
  private final Jobs jobs;
  private final Blobs blobs;
  private final JobStore store;
  private final ChainLink chain;
  private final Transactions transactions;
  private final Dispatcher dispatcher;
  private final Workers workers;
  private final Pricing pricing;
  private final Tally tally;
  private final OfferedModels models;
  private final NetworkDesk network;
  private final NodeChannels channels;
  private final Purse purse;
  private final Anchors anchors;
  private final Watch watch;
  private final Stakes stakes;

  LiveNode(
      NodeConfig config,
      Address account,
      Jobs jobs,
      Blobs blobs,
      JobStore store,
      ChainLink chain,
      Transactions transactions,
      Dispatcher dispatcher,
      Workers workers,
      Pricing pricing,
      Tally tally,
      OfferedModels models,
      NetworkDesk network,
      NodeChannels channels,
      Purse purse,
      Anchors anchors,
      Watch watch,
      Stakes stakes) {
    this.config = config;
    this.account = account;
    this.jobs = jobs;
    this.blobs = blobs;
    this.store = store;
    this.chain = chain;
    this.transactions = transactions;
    this.dispatcher = dispatcher;
    this.workers = workers;
    this.pricing = pricing;
    this.tally = tally;
    this.models = models;
    this.network = network;
    this.channels = channels;
    this.purse = purse;
    this.anchors = anchors;
    this.watch = watch;
    this.stakes = stakes;
  }

  @Override
  public NodeConfig config() {
    return config;
  }

  @Override
  public Jobs jobs() {
    return jobs;
  }

  @Override
  public Blobs blobs() {
    return blobs;
  }

  @Override
  public NodeInfo info() {
    Set<JobRole> roles = EnumSet.noneOf(JobRole.class);
    if (config.provider().enabled()) {
      roles.add(JobRole.PROVIDER);
    }
    roles.add(JobRole.REQUESTER);
    String version = Daemon.class.getPackage().getImplementationVersion();
    List<Profile> profiles =
        config.provider().enabled()
            ? workers.statuses().stream()
                .flatMap(s -> s.description().stream())
                .flatMap(d -> d.profiles().stream())
                .distinct()
                .toList()
            : List.of();
    List<Hash> here =
        Stream.concat(
                models.list().stream().map(OfferedModels.OfferedModel::root),
                store.trainedModels().stream().filter(root -> blobs.folder(root).isPresent()))
            .distinct()
            .toList();
    return new NodeInfo(
        version == null ? "development" : version,
        account,
        network.self(),
        chain.contracts().domain(),
        roles,
        profiles,
        devices(),
        here,
        pricing);
  }

  @Override
  public List<DeviceView> devices() {
    if (!config.provider().enabled()) {
      return List.of();
    }
    Map<String, Scheduler.DeviceLoad> loads = new HashMap<>();
    dispatcher.loads().forEach(load -> loads.put(load.device().id(), load));
    return workers.statuses().stream()
        .map(status -> view(status, Optional.ofNullable(loads.get(status.device()))))
        .toList();
  }

  private static DeviceView view(Workers.Status status, Optional<Scheduler.DeviceLoad> load) {
    Optional<WorkerDescription> description = status.description();
    List<Work> running = load.map(Scheduler.DeviceLoad::running).orElse(List.of());
    return new DeviceView(
        status.device(),
        description.map(WorkerDescription::deviceName).orElse(status.device()),
        description.map(WorkerDescription::kind).orElse(kind(status.device())),
        status.state(),
        status.reason(),
        description.map(WorkerDescription::memoryTotalBytes).orElse(0L),
        running.stream().mapToLong(w -> w.estimate().memoryBytes()).sum(),
        description.map(WorkerDescription::threads).orElse(0),
        running.stream().map(Work::job).toList(),
        load.map(l -> l.waiting().size()).orElse(0),
        status.restarts());
  }

  private static String kind(String device) {
    int colon = device.indexOf(':');
    return colon < 0 ? device : device.substring(0, colon);
  }

  @Override
  public List<Hash> putFolder(FolderManifest manifest) {
    List<Hash> missing = blobs.putFolder(manifest);
    models.remember(manifest);
    return missing;
  }

  @Override
  public List<PeerView> peers() {
    return network.peers();
  }

  @Override
  public List<Offer> offers() {
    return network.offers();
  }

  @Override
  public Optional<TokenAmount> stake(Offer offer) {
    return stakes.of(offer);
  }

  @Override
  public NetworkView network() {
    return network.view();
  }

  @Override
  public NetworkView checkNetwork() {
    return network.check();
  }

  @Override
  public WalletView wallet() {
    ChainAccess access = chain.require();
    Stake stake = access.registry().stakeOf(account);
    return new WalletView(
        account,
        access.rpc().balanceWei(account),
        access.token().symbol(),
        access.token().decimals(),
        access.token().balance(account),
        stake.bonded(),
        stake.unbonding(),
        escrowed(),
        store.paid(JobRole.PROVIDER),
        store.paid(JobRole.REQUESTER),
        transactions.newest(TRANSACTIONS_SHOWN));
  }

  @Override
  public Purse purse() {
    return purse;
  }

  @Override
  public Anchors anchors() {
    return anchors;
  }

  @Override
  public Watch watch() {
    return watch;
  }

  @Override
  public ChainView chain() {
    return chain.view();
  }

  @Override
  public List<ChannelView> channels() {
    return channels.list();
  }

  @Override
  public Optional<ChannelView> leaveChannel(Hash channel) {
    if (channels.paying(channel).isEmpty()) {
      return Optional.empty();
    }
    channels.leave(channel);
    return channels.paying(channel);
  }

  /// What this node's own jobs have locked, as far as the store knows.
  private TokenAmount escrowed() {
    TokenAmount sum = TokenAmount.ZERO;
    for (JobRow row : store.unfinished(JobRole.REQUESTER)) {
      boolean locked =
          row.job().task().kind().paidBy() == JobKind.Money.ESCROW
              && !(row.state() instanceof JobState.Signed
                  || row.state() instanceof JobState.Matched);
      if (locked) {
        sum = sum.plus(row.job().priceMax()).minus(row.paid());
      }
    }
    return sum;
  }

  @Override
  public Readiness readiness() {
    List<String> reasons = new ArrayList<>();
    chain.trouble().ifPresent(reasons::add);
    reasons.addAll(network.troubles());
    if (config.provider().enabled()) {
      List<Workers.Status> statuses = workers.statuses();
      if (statuses.stream().noneMatch(s -> s.state() == DeviceView.State.READY)) {
        statuses.stream()
            .map(s ->
                "the worker of device "
                    + s.device()
                    + " is "
                    + s.state().id()
                    + (s.reason().isEmpty() ? "" : ": " + s.reason()))
            .forEach(reasons::add);
      }
    }
    return new Readiness(reasons);
  }

  @Override
  public NodeStats stats() {
    Map<NodeStats.RoleAndState, Long> counts = new HashMap<>();
    for (JobRole role : JobRole.values()) {
      store
          .counts(role)
          .forEach((state, n) -> counts.put(new NodeStats.RoleAndState(role, state), n));
    }
    IntentStore.Totals totals = transactions.totals();
    return new NodeStats(
        counts,
        tally.refusals(),
        tally.tokensIn(),
        tally.tokensOut(),
        tally.seconds(),
        dispatcher.waiting(),
        config.provider().queueLengthMax(),
        blobs.usedBytes(),
        chain.headAgeSeconds(),
        totals.count(),
        totals.gasUsed(),
        store.paid(JobRole.PROVIDER),
        store.paid(JobRole.REQUESTER),
        network.stats());
  }
}
