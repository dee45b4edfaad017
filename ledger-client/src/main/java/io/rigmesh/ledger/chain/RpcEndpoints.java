package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.ChainMismatchException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.web3j.protocol.Service;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Web3j's transport over several endpoints: a request goes to the first one that works, in the
/// order of the configuration. An endpoint that failed is passed over for a while, unless all have
/// failed. Each is asked once for its chain id before it is believed anything. Safe for use by
/// several threads.
final class RpcEndpoints extends Service {
  private static final Logger LOG = LoggerFactory.getLogger(RpcEndpoints.class);

  /// Above the logs of a full range of blocks, below what hurts a small heap.
  static final int RESPONSE_BYTES_MAX = 32 * 1024 * 1024;

  private static final long RETRY_AFTER_NANOS = TimeUnit.SECONDS.toNanos(15);

  private static final ScopedValue<Pin> PIN = ScopedValue.newInstance();

  private final RpcSettings settings;
  private final HttpClient client;
  private final List<Endpoint> endpoints = new ArrayList<>();

  RpcEndpoints(RpcSettings settings) {
    super(false);
    this.settings = settings;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(settings.connectTimeout())
            .build();
    for (URI uri : settings.endpoints()) {
      endpoints.add(new Endpoint(uri));
    }
  }

  /// Does several requests at one endpoint.
  <T> T atOne(Supplier<T> requests) {
    return ScopedValue.where(PIN, new Pin()).call(requests::get);
  }

  @Override
  protected InputStream performIO(String payload) throws IOException {
    Pin pin = PIN.isBound() ? PIN.get() : new Pin();
    Endpoint pinned = pin.endpoint;
    if (pinned != null) {
      try {
        return new ByteArrayInputStream(pinned.post(payload));
      } catch (AnswerTooLargeException e) {
        throw e;
      } catch (IOException e) {
        pinned.failed(e);
        throw new IOException(pinned.uri + ": " + reason(e), e);
      }
    }
    List<String> failures = new ArrayList<>();
    for (boolean alsoFailed : new boolean[] {false, true}) {
      for (Endpoint endpoint : endpoints) {
        if (endpoint.isResting() == alsoFailed) {
          try {
            endpoint.requireChain();
            byte[] answer = endpoint.post(payload);
            endpoint.worked();
            pin.endpoint = endpoint;
            return new ByteArrayInputStream(answer);
          } catch (AnswerTooLargeException e) {
            // Another endpoint would give the same.
            endpoint.worked();
            throw e;
          } catch (IOException e) {
            endpoint.failed(e);
            failures.add(endpoint.uri + ": " + reason(e));
          }
        }
      }
    }
    throw new IOException(String.join("; ", failures));
  }

  /// Asks every endpoint for its chain id, so that a wrong address is found at the start.
  ///
  /// @throws ChainMismatchException if one belongs to another chain
  /// @throws IOException if none answers
  void requireChain() throws IOException {
    IOException last = null;
    boolean any = false;
    for (Endpoint endpoint : endpoints) {
      try {
        endpoint.requireChain();
        any = true;
      } catch (IOException e) {
        endpoint.failed(e);
        last = e;
      }
    }
    if (!any && last != null) {
      throw new IOException(endpoints.get(endpoints.size() - 1).uri + ": " + reason(last), last);
    }
  }

  @Override
  public void close() {
    client.close();
  }

  private static String reason(IOException e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  /// The endpoint that several requests go to; none before the first of them. Used by one thread.
  private static final class Pin {
    private @Nullable Endpoint endpoint;
  }

  /// An endpoint works and gives more than is read.
  static final class AnswerTooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    AnswerTooLargeException() {
      super("its answer is above " + RESPONSE_BYTES_MAX + " bytes");
    }
  }

  /// One server. Its fields are guarded by itself.
  private final class Endpoint {
    private final URI uri;
    private boolean chainChecked;
    private boolean failing;
    private long failedAtNanos;

    Endpoint(URI uri) {
      this.uri = uri;
    }

    synchronized boolean isResting() {
      return failing && System.nanoTime() - failedAtNanos < RETRY_AFTER_NANOS;
    }

    synchronized void worked() {
      if (failing) {
        LOG.info("RPC endpoint {} answers again", uri);
      }
      failing = false;
    }

    synchronized void failed(IOException e) {
      if (!failing) {
        LOG.warn("RPC endpoint {} failed: {}", uri, reason(e));
      }
      failing = true;
      failedAtNanos = System.nanoTime();
    }

    void requireChain() throws IOException {
      synchronized (this) {
        if (chainChecked) {
          return;
        }
      }
      byte[] answer =
          post("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"eth_chainId\",\"params\":[]}");
      long actual;
      try {
        JsonNode result = objectMapper.readTree(answer).path("result");
        actual = new BigInteger(result.stringValue("").substring(2), 16).longValueExact();
      } catch (JacksonException | IndexOutOfBoundsException | ArithmeticException e) {
        throw new IOException("it does not answer eth_chainId as a chain does", e);
      } catch (NumberFormatException e) {
        throw new IOException("it answers eth_chainId with no number", e);
      }
      if (actual != settings.chainId()) {
        throw new ChainMismatchException(
            "The RPC endpoint %s serves the chain %d, but %d is configured; correct the endpoint or the chain id."
                .formatted(uri, actual, settings.chainId()));
      }
      synchronized (this) {
        chainChecked = true;
      }
    }

    byte[] post(String payload) throws IOException {
      HttpRequest request =
          HttpRequest.newBuilder(uri)
              .timeout(settings.requestTimeout())
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(payload, StandardCharsets.UTF_8))
              .build();
      HttpResponse<InputStream> response;
      try {
        response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while waiting for an answer", e);
      }
      try (InputStream body = response.body()) {
        byte[] answer = body.readNBytes(RESPONSE_BYTES_MAX + 1);
        if (answer.length > RESPONSE_BYTES_MAX) {
          throw new AnswerTooLargeException();
        }
        if (response.statusCode() != 200) {
          throw new IOException("it answers with HTTP status " + response.statusCode());
        }
        return answer;
      }
    }
  }
}
