package io.rigmesh.node.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.node.ChainView;
import io.rigmesh.node.ChannelView;
import io.rigmesh.node.DeviceView;
import io.rigmesh.node.Node;
import io.rigmesh.node.NodeStats;
import io.rigmesh.node.NodeStats.RoleAndState;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.network.NetworkStats;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;

/// What /metrics shows. The node is asked once per scrape, so that all its numbers are of one
/// moment, and a scrape costs the same however many of them there are.
public final class NodeMetrics implements AutoCloseable {
  /// More devices than this are not told apart.
  private static final int DEVICES_MAX = 64;

  /// As many endpoints as anybody names.
  private static final int ENDPOINTS_MAX = 16;

  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

  /// What most transactions are for: these are shown before there is one.
  private static final List<String> PURPOSES =
      List.of(
          "fund",
          "settle",
          "prove",
          "release",
          "refund",
          "decline",
          "dispute",
          "channel-open",
          "channel-topup",
          "channel-redeem",
          "channel-close");

  private static final List<String> STATES =
      List.of(
          "draft",
          "signed",
          "matched",
          "funded",
          "running",
          "completed",
          "settled",
          "refused",
          "cancelled",
          "expired",
          "failed",
          "disputed");

  /// Before the first scrape; the node may not have started yet.
  private static final NodeStats NOTHING =
      new NodeStats(
          Map.of(),
          Map.of(),
          Map.of(),
          Map.of(),
          Map.of(),
          0,
          0,
          0,
          OptionalDouble.empty(),
          Map.of(),
          0,
          TokenAmount.ZERO,
          TokenAmount.ZERO,
          NetworkStats.NONE);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();
  private final Node node;
  private volatile Snapshot now =
      new Snapshot(NOTHING, Map.of(), Map.of(), List.of(), Map.of(), Optional.empty(), 0);

  /// The node's numbers at one moment.
  private record Snapshot(
      NodeStats stats,
      Map<String, DeviceView> devices,
      Map<JobKind, Double> tokensPerSecond,
      List<ChannelView> channels,
      Map<String, EndpointHealth> endpoints,
      Optional<ChainView.Socket> socket,
      long watched) {}

  /// @param node who is asked for its numbers
  /// @param version the daemon's version
  public NodeMetrics(Node node, String version) {
    this.node = node;
    Gauge.builder("rigmesh.build.info", () -> 1)
        .description("Always 1; the label says which version this is.")
        .tags("version", version)
        .register(registry);
    registerJobs();
    registerMoney();
    registerChannels();
    registerNetwork();
    registerProcess();
  }

  private Snapshot snapshot() {
    Map<String, DeviceView> devices = new java.util.LinkedHashMap<>();
    node.devices().stream().limit(DEVICES_MAX).forEach(d -> devices.put(d.id(), d));
    ChainView chain = node.chain();
    Map<String, EndpointHealth> endpoints = new java.util.LinkedHashMap<>();
    chain.endpoints().stream().limit(ENDPOINTS_MAX).forEach(e -> endpoints.put(e.name(), e));
    return new Snapshot(
        node.stats(),
        Map.copyOf(devices),
        tokensPerSecond(),
        node.channels(),
        Map.copyOf(endpoints),
        chain.socket(),
        node.watch().channels().stream().filter(c -> !c.channel().closed()).count());
  }

  private Map<JobKind, Double> tokensPerSecond() {
    Map<JobKind, Double> sums = new EnumMap<>(JobKind.class);
    JobQuery running =
        new JobQuery(
            Optional.of("running"), Optional.of(JobRole.PROVIDER), DEVICES_MAX, Optional.empty());
    node.jobs()
        .list(running)
        .forEach(job ->
            sums.merge(
                job.signed().job().task().kind(),
                job.progress().map(JobProgress::tokensPerSecond).orElse(0.0),
                Double::sum));
    return sums;
  }

  /// All metrics in Prometheus' text form.
  public synchronized String scrape() {
    now = snapshot();
    registerDevices();
    registerEndpoints();
    now.stats.transactions().keySet().forEach(this::registerPurpose);
    return registry.scrape();
  }

  /// Counts one answered request.
  ///
  /// @param method the HTTP method
  /// @param route the template of its path, one of a few
  /// @param status the status of the answer
  public void request(String method, String route, int status, Duration duration) {
    Timer.builder("rigmesh.http.requests")
        .description("Time to answer HTTP requests, event streams included.")
        .tags(
            "method",
            METHODS.contains(method) ? method : "other",
            "route",
            route,
            "status",
            Integer.toString(status))
        .serviceLevelObjectives(
            Duration.ofMillis(5),
            Duration.ofMillis(25),
            Duration.ofMillis(100),
            Duration.ofMillis(500),
            Duration.ofMillis(2_500),
            Duration.ofSeconds(30))
        .register(registry)
        .record(duration);
  }

  /// Shows how many event streams are open.
  public void eventStreams(IntSupplier open) {
    gauge(
        "rigmesh.http.event.streams",
        "Event streams that are open.",
        Tags.empty(),
        _ -> open.getAsInt());
  }

  private void registerJobs() {
    for (JobRole role : JobRole.values()) {
      for (String state : STATES) {
        RoleAndState key = new RoleAndState(role, state);
        gauge(
            "rigmesh.jobs",
            "Jobs in the store, by side of the market and state.",
            Tags.of("role", role.id(), "state", state),
            s -> s.stats.jobs().getOrDefault(key, 0L));
      }
    }
    for (RefusalCode code : RefusalCode.values()) {
      counter(
          "rigmesh.jobs.refused",
          "Jobs that this node refused, by code.",
          "",
          Tags.of("code", code.id()),
          s -> s.stats.refusals().getOrDefault(code, 0L));
    }
    for (JobKind kind : JobKind.values()) {
      String id = kind.id().toLowerCase(Locale.ROOT);
      counter(
          "rigmesh.tokens",
          "Tokens of completed jobs, by kind of job, read (in) and made (out).",
          "",
          Tags.of("kind", id, "direction", "in"),
          s -> s.stats.tokensIn().getOrDefault(kind, 0L));
      counter(
          "rigmesh.tokens",
          "Tokens of completed jobs, by kind of job, read (in) and made (out).",
          "",
          Tags.of("kind", id, "direction", "out"),
          s -> s.stats.tokensOut().getOrDefault(kind, 0L));
      counter(
          "rigmesh.jobs.run",
          "Time that completed jobs ran, by kind.",
          "seconds",
          Tags.of("kind", id),
          s -> s.stats.jobSeconds().getOrDefault(kind, 0.0));
      gauge(
          "rigmesh.tokens.per.second",
          "Tokens per second of the jobs that run now, by kind.",
          Tags.of("kind", id),
          s -> s.tokensPerSecond.getOrDefault(kind, 0.0));
    }
    gauge(
        "rigmesh.queue.jobs",
        "Jobs that wait for a device.",
        Tags.empty(),
        s -> s.stats.queueLength());
    gauge(
        "rigmesh.queue.jobs.limit",
        "The most jobs that may wait.",
        Tags.empty(),
        s -> s.stats.queueLengthMax());
    gauge("rigmesh.blobs.bytes", "Bytes of blobs on disk.", Tags.empty(), s -> s.stats.blobBytes());
  }

  private void registerMoney() {
    PURPOSES.forEach(this::registerPurpose);
    counter(
        "rigmesh.gas.used",
        "Gas that this node's transactions took.",
        "",
        Tags.empty(),
        s -> s.stats.gasUsed());
    counter(
        "rigmesh.earned.token.units",
        "Smallest units of the payment token that were paid to this node.",
        "",
        Tags.empty(),
        s -> units(s.stats.earned()));
    counter(
        "rigmesh.spent.token.units",
        "Smallest units of the payment token that this node paid.",
        "",
        Tags.empty(),
        s -> units(s.stats.spent()));
    TimeGauge.builder(
            "rigmesh.chain.head.age",
            this,
            TimeUnit.SECONDS,
            m -> m.now.stats.headAgeSeconds().orElse(Double.NaN))
        .description("Age of the newest known block of the chain; NaN while none is known.")
        .register(registry);
    gauge(
        "rigmesh.ready",
        "1 if the node can take new work, 0 if not; /health/ready says why.",
        Tags.empty(),
        _ -> node.readiness().ready() ? 1 : 0);
  }

  /// One of the words that this program's own transactions are kept under, which are few.
  private void registerPurpose(String purpose) {
    counter(
        "rigmesh.transactions",
        "Transactions of this node that are in a block, by what they are for.",
        "",
        Tags.of("purpose", purpose),
        s -> s.stats.transactions().getOrDefault(purpose, 0L));
  }

  private void registerChannels() {
    for (JobRole role : JobRole.values()) {
      Tags side = Tags.of("role", role.id());
      gauge(
          "rigmesh.channels",
          "Payment channels that are not closed, by this node's side.",
          side,
          s ->
              s.channels.stream()
                  .filter(c -> c.role() == role)
                  .filter(c -> !c.state().equals("closed") && !c.state().equals("failed"))
                  .count());
      channelUnits(
          role, "paid", "What vouchers come to, by this node's side.", ChannelView::promised);
      channelUnits(role, "redeemed", "What of it is redeemed on the chain.", ChannelView::redeemed);
    }
    gauge(
        "rigmesh.watched.channels",
        "Channels of others that this node guards and that are not closed.",
        Tags.empty(),
        s -> s.watched);
    gauge(
        "rigmesh.channels.unpaid.token.units",
        "Smallest units that jobs owe this node above the newest vouchers.",
        Tags.empty(),
        s -> sum(s, JobRole.PROVIDER, ChannelView::unpaid));
  }

  private void channelUnits(
      JobRole role, String what, String help, Function<ChannelView, TokenAmount> amount) {
    counter(
        "rigmesh.channels." + what + ".token.units",
        help,
        "",
        Tags.of("role", role.id()),
        s -> sum(s, role, amount));
  }

  private static double sum(
      Snapshot snapshot, JobRole role, Function<ChannelView, TokenAmount> amount) {
    return snapshot.channels.stream()
        .filter(c -> c.role() == role)
        .mapToDouble(c -> units(amount.apply(c)))
        .sum();
  }

  private void registerNetwork() {
    gauge(
        "rigmesh.peers", "Peers that are connected.", Tags.empty(), s -> s.stats.network().peers());
    for (boolean inbound : new boolean[] {true, false}) {
      Tags direction = Tags.of("direction", inbound ? "inbound" : "outbound");
      gauge(
          "rigmesh.network.connections",
          "Connections to peers, by who opened them.",
          direction,
          s ->
              inbound
                  ? s.stats.network().inboundConnections()
                  : s.stats.network().outboundConnections());
      gauge(
          "rigmesh.network.streams",
          "Streams to peers, by who opened them.",
          direction,
          s -> inbound ? s.stats.network().inboundStreams() : s.stats.network().outboundStreams());
    }
    gauge(
        "rigmesh.network.buffered.bytes",
        "Memory that the network holds, as it is counted against its limits.",
        Tags.empty(),
        s -> s.stats.network().bufferedBytes());
    gauge(
        "rigmesh.offers",
        "Offers of providers that hold now.",
        Tags.empty(),
        s -> s.stats.network().offers());
    counter(
        "rigmesh.blobs.sent.bytes",
        "Bytes of blobs handed out to peers.",
        "",
        Tags.empty(),
        s -> s.stats.network().blobBytesSent());
    counter(
        "rigmesh.blobs.received.bytes",
        "Bytes of blobs fetched from peers.",
        "",
        Tags.empty(),
        s -> s.stats.network().blobBytesReceived());
    counter(
        "rigmesh.peers.blamed",
        "How often peers were caught breaking a rule.",
        "",
        Tags.empty(),
        s -> s.stats.network().blames());
  }

  private static double units(TokenAmount amount) {
    return amount.units().doubleValue();
  }

  /// Devices are known only once their workers were asked; those known already are left as they
  /// are.
  private void registerDevices() {
    for (String id : now.devices.keySet()) {
      Tags device = Tags.of("device", id);
      counter(
          "rigmesh.worker.restarts",
          "How often a device's worker was started again.",
          "",
          device,
          s -> view(s, id).map(DeviceView::restarts).orElse(0L));
      gauge(
          "rigmesh.worker.up",
          "1 if the device's worker takes jobs.",
          device,
          s -> view(s, id).filter(d -> d.state() == DeviceView.State.READY).isPresent() ? 1 : 0);
      gauge(
          "rigmesh.device.memory.bytes",
          "Memory of the device.",
          device,
          s -> view(s, id).map(DeviceView::memoryBytes).orElse(0L));
      gauge(
          "rigmesh.device.memory.held.bytes",
          "Memory that the jobs on the device are reckoned to need.",
          device,
          s -> view(s, id).map(DeviceView::memoryHeldBytes).orElse(0L));
      gauge(
          "rigmesh.device.running.jobs",
          "Jobs that run on the device.",
          device,
          s -> view(s, id).map(d -> d.running().size()).orElse(0));
    }
  }

  /// Endpoints are known once the node has started; their names hold no keys.
  private void registerEndpoints() {
    for (String name : now.endpoints.keySet()) {
      Tags endpoint = Tags.of("endpoint", name);
      counter(
          "rigmesh.chain.endpoint.requests",
          "Requests to an RPC endpoint of the chain.",
          "",
          endpoint,
          s -> endpoint(s, name).map(e -> (double) e.requests()).orElse(0.0));
      counter(
          "rigmesh.chain.endpoint.failures",
          "How often an RPC endpoint failed: no answer, none in time, or none that is one.",
          "",
          endpoint,
          s -> endpoint(s, name).map(e -> (double) e.failures()).orElse(0.0));
      FunctionTimer.builder(
              "rigmesh.chain.endpoint.answers",
              this,
              m -> endpoint(m.now, name).map(EndpointHealth::answers).orElse(0L),
              m -> endpoint(m.now, name).map(e -> e.answering().toNanos() / 1e9).orElse(0.0),
              TimeUnit.SECONDS)
          .description("Time that an RPC endpoint took for its answers.")
          .tags(endpoint)
          .register(registry);
      gauge(
          "rigmesh.chain.endpoint.blocks.behind",
          "Blocks that an RPC endpoint lacked when it was compared with others; NaN before that.",
          endpoint,
          s ->
              endpoint(s, name)
                  .filter(e -> e.blocksBehind().isPresent())
                  .map(e -> (double) e.blocksBehind().getAsLong())
                  .orElse(Double.NaN));
      for (EndpointHealth.State state : EndpointHealth.State.values()) {
        gauge(
            "rigmesh.chain.endpoint.state",
            "1 for the state that an RPC endpoint is in, 0 for the others.",
            endpoint.and("state", state.id()),
            s -> endpoint(s, name).filter(e -> e.state() == state).isPresent() ? 1 : 0);
      }
    }
    if (now.socket.isPresent()) {
      gauge(
          "rigmesh.chain.socket.connected",
          "1 while a WebSocket endpoint tells of new blocks, 0 while they are only polled for.",
          Tags.empty(),
          s -> s.socket.filter(ChainView.Socket::connected).isPresent() ? 1 : 0);
      counter(
          "rigmesh.chain.socket.blocks",
          "New blocks that WebSocket endpoints told of.",
          "",
          Tags.empty(),
          s -> s.socket.map(socket -> (double) socket.heads()).orElse(0.0));
    }
  }

  private static Optional<EndpointHealth> endpoint(Snapshot snapshot, String name) {
    return Optional.ofNullable(snapshot.endpoints.get(name));
  }

  private static Optional<DeviceView> view(Snapshot snapshot, String id) {
    return Optional.ofNullable(snapshot.devices.get(id));
  }

  private void registerProcess() {
    new JvmMemoryMetrics().bindTo(registry);
    collections.bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
  }

  private void gauge(String name, String help, Tags tags, ToDoubleFunction<Snapshot> value) {
    Gauge.builder(name, this, m -> value.applyAsDouble(m.now))
        .description(help)
        .tags(tags)
        .register(registry);
  }

  private void counter(
      String name, String help, String unit, Tags tags, ToDoubleFunction<Snapshot> value) {
    FunctionCounter.Builder<NodeMetrics> builder =
        FunctionCounter.builder(name, this, m -> value.applyAsDouble(m.now))
            .description(help)
            .tags(tags);
    (unit.isEmpty() ? builder : builder.baseUnit(unit)).register(registry);
  }

  @Override
  public void close() {
    collections.close();
    registry.close();
  }
}
