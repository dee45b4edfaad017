package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.common.metric.NoopMeterRegistry;
import com.linecorp.armeria.server.GracefulShutdown;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.rigmesh.node.Node;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.RestConfig;
import io.rigmesh.node.metrics.NodeMetrics;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves the REST interface. Every request gets an id, a limit on size and time, and, but for
/// health and on loopback metrics and the interface's description, is asked for the token. Handlers
/// run on virtual threads; the event loops never wait.
public final class RestServer implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(RestServer.class);

  private static final Duration ANSWER_MAX = Duration.ofSeconds(30);
  private static final Duration IDLE_MAX = Duration.ofSeconds(60);
  private static final Duration HEARTBEAT = Duration.ofSeconds(10);
  private static final int CONNECTIONS_MAX = 1_024;
  private static final int HEADER_BYTES_MAX = 16_384;
  private static final double REQUESTS_PER_SECOND = 200;
  private static final double REQUESTS_BURST = 1_000;

  private final RestConfig config;
  private final Node node;
  private final NodeMetrics metrics;
  private final BearerToken token;
  private final Limits limits;
  private @Nullable Server server;
  private @Nullable ExecutorService threads;

  /// The limits that tests make smaller.
  record Limits(Duration heartbeat, double requestsPerSecond, double requestsBurst) {
    static Limits normal() {
      return new Limits(HEARTBEAT, REQUESTS_PER_SECOND, REQUESTS_BURST);
    }
  }

  /// @param config where to listen
  /// @param node what is served
  /// @param metrics what /metrics shows, and where requests are counted
  /// @param token what opens the interface
  public RestServer(RestConfig config, Node node, NodeMetrics metrics, BearerToken token) {
    this(config, node, metrics, token, Limits.normal());
  }

  RestServer(RestConfig config, Node node, NodeMetrics metrics, BearerToken token, Limits limits) {
    this.config = config;
    this.node = node;
    this.metrics = metrics;
    this.token = token;
    this.limits = limits;
  }

  @Override
  public String name() {
    return "rest";
  }

  /// The port that it listens on.
  ///
  /// @throws IllegalStateException before it was started
  public int port() {
    Server running = server;
    if (running == null) {
      throw new IllegalStateException("the REST interface is not started");
    }
    return running.activeLocalPort();
  }

  @Override
  public void start() {
    InetAddress address = address();
    if (!address.isLoopbackAddress()) {
      LOG.warn(
          "REST listens on {}, beyond this machine, without TLS: put a proxy with TLS before it,"
              + " or the token can be read on the way",
          config.host());
    }
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    threads = executor;
    ServerBuilder builder =
        Server.builder()
            .http(new InetSocketAddress(address, config.port()))
            .maxNumConnections(CONNECTIONS_MAX)
            .idleTimeout(IDLE_MAX)
            .requestTimeout(ANSWER_MAX)
            .maxRequestLength(config.requestBytesMax())
            .http1MaxInitialLineLength(HEADER_BYTES_MAX)
            .http1MaxHeaderSize(HEADER_BYTES_MAX)
            .http2MaxHeaderListSize(HEADER_BYTES_MAX)
            .http2MaxStreamsPerConnection(1_024)
            .disableServerHeader()
            // What clients do wrong is answered, not reported as this node's failure.
            .unloggedExceptionsReportInterval(Duration.ZERO)
            .meterRegistry(NoopMeterRegistry.get())
            .gracefulShutdown(
                GracefulShutdown.builder()
                    .quietPeriod(Duration.ZERO)
                    .timeout(Duration.ofSeconds(3))
                    .build())
            .errorHandler(new Errors());
    RequestRate rate =
        new RequestRate(limits.requestsPerSecond(), limits.requestsBurst(), System::nanoTime);
    for (Route route : routes(executor, address.isLoopbackAddress())) {
      builder
          .route()
          .path(route.path())
          .methods(route.method())
          .maxRequestLength(Math.max(1, route.bodyBytesMax()))
          .build(service(route, executor));
    }
    builder.decorator((delegate, ctx, request) -> {
      observe(ctx);
      if (!rate.take(ctx.remoteAddress().getAddress())) {
        throw ApiException.tooMany(
            "more than "
                + (long) limits.requestsPerSecond()
                + " requests a second came from this address; wait a little");
      }
      return delegate.serve(ctx, request);
    });
    server = started(builder.build());
    LOG.info("REST listens on http://{}:{}", config.host(), port());
  }

  private InetAddress address() {
    try {
      return InetAddress.getByName(config.host());
    } catch (UnknownHostException e) {
      throw new RestException(
          "rest.host '" + config.host() + "' is no address of this machine; use 127.0.0.1", e);
    }
  }

  private Server started(Server made) {
    try {
      made.start().join();
      return made;
    } catch (CompletionException e) {
      stop();
      if (isTaken(rootOf(e))) {
        throw new RestException(
            "port "
                + config.port()
                + " on "
                + config.host()
                + " is taken or not to be had; stop what uses it, or choose another with --port",
            e);
      }
      throw new RestException("REST cannot listen: " + rootOf(e).getMessage(), e);
    }
  }

  /// The JDK has a type for it, Netty's native sockets have only the system's words.
  private static boolean isTaken(Throwable e) {
    return e instanceof BindException
        || String.valueOf(e.getMessage()).contains("Address already in use");
  }

  private static Throwable rootOf(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  /// Every route, in the order of the description.
  List<Route> routes(ExecutorService executor, boolean loopback) {
    Downloads downloads = new Downloads(executor);
    EventStream streams = new EventStream(limits.heartbeat(), config.eventStreamsMax(), executor);
    metrics.eventStreams(() -> config.eventStreamsMax() - streams.free());
    List<Route> routes = new ArrayList<>();
    routes.addAll(
        new JobRoutes(node.jobs(), streams, downloads, config.requestBytesMax()).routes());
    routes.addAll(
        new BlobRoutes(node.blobs(), node::putFolder, downloads, node.config().blobs().bytesMax())
            .routes());
    routes.addAll(new OpenAiRoutes(node, streams, config.requestBytesMax()).routes());
    routes.addAll(new NetworkRoutes(node).routes());
    routes.addAll(new WalletRoutes(node).routes());
    routes.addAll(new WatchRoutes(node).routes());
    routes.addAll(new ReceiptRoutes(node).routes());
    routes.addAll(new NodeRoutes(node, metrics, loopback).routes());
    return routes;
  }

  private HttpService service(Route route, ExecutorService executor) {
    return (ctx, request) -> {
      ctx.setAttr(Requests.ROUTE, route.template());
      if (route.access() == Route.Access.TOKEN
          && !token.opens(request.headers().get(HttpHeaderNames.AUTHORIZATION))) {
        throw new ApiException(
            HttpStatus.UNAUTHORIZED,
            ApiException.Type.AUTHENTICATION,
            "unauthorized",
            Optional.empty(),
            "this needs the header 'Authorization: Bearer TOKEN'; the token is in the file"
                + " rest-token in the node's home");
      }
      return HttpResponse.of(
          CompletableFuture.supplyAsync(() -> answer(route, ctx, request), executor));
    };
  }

  private static HttpResponse answer(Route route, ServiceRequestContext ctx, HttpRequest request) {
    try {
      return route.handler().answer(new Call(ctx, request));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  private void observe(ServiceRequestContext ctx) {
    String id = RequestId.of(ctx);
    ctx.mutateAdditionalResponseHeaders(headers -> headers.set(RequestId.HEADER, id));
    var _ = ctx.log().whenComplete().thenAccept(this::count);
  }

  private void count(RequestLog log) {
    ServiceRequestContext ctx = (ServiceRequestContext) log.context();
    HttpMethod method = log.requestHeaders().method();
    String route = Optional.ofNullable(ctx.attr(Requests.ROUTE)).orElse("none");
    int status = log.responseHeaders().status().code();
    metrics.request(method.name(), route, status, Duration.ofNanos(log.totalDurationNanos()));
    LOG.debug(
        "{} {} {} {} in {} ms",
        RequestId.of(ctx),
        method,
        log.requestHeaders().path(),
        status,
        log.totalDurationNanos() / 1_000_000);
  }

  @Override
  public void stop() {
    Server running = server;
    if (running != null) {
      running.stop().join();
      server = null;
    }
    ExecutorService executor = threads;
    if (executor != null) {
      executor.shutdownNow();
      threads = null;
    }
  }
}
