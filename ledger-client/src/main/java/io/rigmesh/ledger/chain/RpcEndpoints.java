package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.ChainMismatchException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.web3j.protocol.Service;

/// Web3j's transport over several endpoints: a request goes to the first one that works, in the
/// order of the configuration, and where that one takes long to the next one too. Endpoints that
/// failed or are behind the others are asked only where no other works. Safe for use by several
/// threads.
final class RpcEndpoints extends Service {
  private static final Duration COMPARE_INTERVAL = Duration.ofSeconds(5);

  /// An endpoint of another chain may be corrected without a restart of whoever asks it.
  private static final int COMPARISONS_PER_SECOND_LOOK = 12;

  private static final ScopedValue<Pin> PIN = ScopedValue.newInstance();

  private final RpcSettings settings;
  private final HttpClient client;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("rpc-", 0).factory());
  private final List<RpcEndpoint> endpoints = new ArrayList<>();
  private final AtomicBoolean comparing = new AtomicBoolean();

  RpcEndpoints(RpcSettings settings) {
    super(false);
    this.settings = settings;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(settings.connectTimeout())
            .build();
    for (URI uri : settings.endpoints()) {
      String name = EndpointName.of(uri);
      boolean taken = endpoints.stream().anyMatch(other -> other.name().equals(name));
      endpoints.add(
          new RpcEndpoint(
              uri, taken ? name + " #" + (endpoints.size() + 1) : name, settings, client));
    }
  }

  /// The endpoint that several requests go to; none before the first of them. Used by one thread.
  private static final class Pin {
    private @Nullable RpcEndpoint endpoint;
  }

  /// What one of several endpoints said.
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Answer(RpcEndpoint endpoint, byte[] bytes) {}

  /// Does several requests at one endpoint.
  <T> T atOne(Supplier<T> requests) {
    return ScopedValue.where(PIN, new Pin()).call(requests::get);
  }

  /// How each endpoint does, in the order of the configuration.
  List<EndpointHealth> health() {
    return endpoints.stream().map(RpcEndpoint::health).toList();
  }

  @Override
  protected InputStream performIO(String payload) throws IOException {
    Pin pin = PIN.isBound() ? PIN.get() : new Pin();
    RpcEndpoint pinned = pin.endpoint;
    if (pinned != null) {
      try {
        return new ByteArrayInputStream(pinned.ask(payload));
      } catch (RpcEndpoint.AnswerTooLarge e) {
        throw e;
      } catch (IOException e) {
        throw new IOException(pinned.name() + ": " + pinned.reason(e), e);
      }
    }
    Answer answer = ask(payload, inOrder());
    pin.endpoint = answer.endpoint();
    return new ByteArrayInputStream(answer.bytes());
  }

  private List<RpcEndpoint> inOrder() {
    Map<Boolean, List<RpcEndpoint>> passedOver =
        endpoints.stream()
            .filter(endpoint -> !endpoint.isOfAnotherChain())
            .collect(Collectors.partitioningBy(RpcEndpoint::isPassedOver));
    List<RpcEndpoint> order = new ArrayList<>(passedOver.getOrDefault(false, List.of()));
    order.addAll(passedOver.getOrDefault(true, List.of()));
    return order;
  }

  /// Asks one after the other: the next one when one failed, or did not answer for a while. The
  /// first answer counts. Transactions may be sent to several this way, since their bytes are the
  /// same.
  private Answer ask(String payload, List<RpcEndpoint> inOrder) throws IOException {
    List<String> failures = new ArrayList<>();
    if (inOrder.size() == 1) {
      RpcEndpoint only = inOrder.get(0);
      try {
        return new Answer(only, only.ask(payload));
      } catch (RpcEndpoint.AnswerTooLarge e) {
        throw e;
      } catch (IOException e) {
        throw new IOException(only.name() + ": " + only.reason(e), e);
      }
    }
    CompletionService<Answer> asked = new ExecutorCompletionService<>(threads);
    List<Future<Answer>> running = new ArrayList<>();
    List<RpcEndpoint> waitedFor = new ArrayList<>();
    int next = 0;
    try {
      while (next < inOrder.size() || failures.size() < inOrder.size()) {
        if (next < inOrder.size()) {
          RpcEndpoint endpoint = inOrder.get(next++);
          waitedFor.add(endpoint);
          running.add(asked.submit(() -> askOne(endpoint, payload)));
        }
        Future<Answer> done =
            next < inOrder.size()
                ? asked.poll(settings.hedgeAfter().toNanos(), TimeUnit.NANOSECONDS)
                : asked.take();
        if (done == null) {
          continue;
        }
        try {
          Answer answer = done.get();
          waitedFor.stream()
              .takeWhile(endpoint -> endpoint != answer.endpoint())
              .filter(endpoint -> !endpoint.isPassedOver())
              .forEach(endpoint -> endpoint.slow(settings.hedgeAfter()));
          return answer;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof RpcEndpoint.AnswerTooLarge large) {
            // Another endpoint would give the same.
            throw large;
          }
          failures.add(String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for an answer", e);
    } finally {
      running.forEach(future -> future.cancel(true));
    }
    throw new IOException(
        failures.isEmpty() ? "every endpoint serves another chain" : String.join("; ", failures));
  }

  private static Answer askOne(RpcEndpoint endpoint, String payload) throws IOException {
    try {
      return new Answer(endpoint, endpoint.ask(payload));
    } catch (RpcEndpoint.AnswerTooLarge e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(endpoint.name() + ": " + endpoint.reason(e), e);
    }
  }

  /// Asks every endpoint for its chain id, so that a wrong address is found at the start, and from
  /// then on compares their newest blocks where there are several.
  ///
  /// @throws ChainMismatchException if one belongs to another chain
  /// @throws IOException if none answers
  void requireChain() throws IOException {
    IOException last = null;
    boolean any = false;
    for (RpcEndpoint endpoint : endpoints) {
      try {
        endpoint.check();
        any = true;
      } catch (IOException e) {
        last = new IOException(endpoint.name() + ": " + endpoint.reason(e), e);
      }
    }
    if (!any && last != null) {
      throw last;
    }
    if (endpoints.size() > 1 && comparing.compareAndSet(false, true)) {
      threads.execute(this::compareHeads);
    }
  }

  /// Asks every endpoint for its newest block every few seconds, until the end.
  private void compareHeads() {
    try {
      for (int round = 1; true; round++) {
        if (round % COMPARISONS_PER_SECOND_LOOK == 0) {
          endpoints.stream().filter(RpcEndpoint::isOfAnotherChain).forEach(RpcEndpoint::lookAgain);
        }
        List<RpcEndpoint> compared =
            endpoints.stream()
                .filter(endpoint -> !endpoint.isOfAnotherChain() && !endpoint.isResting())
                .toList();
        long newest =
            compared.stream()
                .map(RpcEndpoint::askHead)
                .flatMapToLong(OptionalLong::stream)
                .max()
                .orElse(0);
        compared.forEach(endpoint -> endpoint.compare(newest));
        Thread.sleep(COMPARE_INTERVAL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    client.shutdownNow();
    client.close();
  }
}
