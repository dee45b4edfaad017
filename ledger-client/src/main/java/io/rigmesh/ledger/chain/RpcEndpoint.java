package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.ChainMismatchException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One JSON-RPC server: asks it, and remembers how it did. Says once each time that changes. It is
/// asked for its chain id before it is believed anything, and again after it failed, since another
/// server may stand there by then. Safe for use by several threads.
final class RpcEndpoint {
  /// Above the logs of a full range of blocks, below what hurts a small heap.
  static final int RESPONSE_BYTES_MAX = 32 * 1024 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(RpcEndpoint.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration REST = Duration.ofSeconds(15);
  private static final Duration REST_MIN = Duration.ofSeconds(1);

  /// A server may ask for more; by then it is asked again all the same.
  private static final Duration REST_MAX = Duration.ofMinutes(5);

  /// A refusal is short; what is longer is looked at by nobody.
  private static final int REFUSAL_BYTES_MAX = 4096;

  private final URI uri;
  private final String name;
  private final RpcSettings settings;
  private final HttpClient client;

  private boolean chainChecked;
  private boolean wrongChain;
  private boolean failing;
  private boolean behind;
  private long restUntilNanos;
  private long requests;
  private long failures;
  private long answers;
  private Duration answering = Duration.ZERO;
  private OptionalLong head = OptionalLong.empty();
  private OptionalLong blocksBehind = OptionalLong.empty();
  private String trouble = "";

  /// An endpoint that was not asked yet.
  ///
  /// @param name what people and metrics know it by
  RpcEndpoint(URI uri, String name, RpcSettings settings, HttpClient client) {
    this.uri = uri;
    this.settings = settings;
    this.client = client;
    this.name = name;
  }

  /// An endpoint that does not answer, and when it may again.
  static final class Failed extends IOException {
    private static final long serialVersionUID = 1L;

    private final Duration rest;

    Failed(String message, Duration rest) {
      super(message);
      this.rest = rest;
    }
  }

  /// An endpoint works and gives more than is read.
  static final class AnswerTooLarge extends IOException {
    private static final long serialVersionUID = 1L;

    AnswerTooLarge() {
      super("its answer is above " + RESPONSE_BYTES_MAX + " bytes");
    }
  }

  /// Scheme, host and port: the rest of the address may be a secret.
  String name() {
    return name;
  }

  synchronized EndpointHealth health() {
    EndpointHealth.State state =
        wrongChain
            ? EndpointHealth.State.WRONG_CHAIN
            : failing
                ? EndpointHealth.State.FAILING
                : behind ? EndpointHealth.State.BEHIND : EndpointHealth.State.WORKING;
    return new EndpointHealth(
        name,
        state,
        requests,
        failures,
        answers,
        answering,
        head,
        blocksBehind,
        state == EndpointHealth.State.WORKING ? "" : trouble);
  }

  /// True if others are asked before it.
  synchronized boolean isPassedOver() {
    return behind || isResting();
  }

  /// True if it failed a short while ago, or asked to be left alone.
  synchronized boolean isResting() {
    return failing && System.nanoTime() - restUntilNanos < 0;
  }

  /// True if it is not asked at all.
  synchronized boolean isOfAnotherChain() {
    return wrongChain;
  }

  /// Asks, and notes how it went.
  byte[] ask(String payload) throws IOException {
    try {
      requireChain();
      byte[] answer = post(payload);
      worked();
      return answer;
    } catch (AnswerTooLarge e) {
      worked();
      throw e;
    } catch (InterruptedIOException e) {
      // Nobody waits any more, which says nothing about it.
      throw e;
    } catch (Failed e) {
      failed(reason(e), e.rest);
      throw e;
    } catch (IOException e) {
      failed(reason(e), REST);
      throw e;
    }
  }

  /// Checks its chain id, and notes how that went.
  void check() throws IOException {
    try {
      requireChain();
    } catch (IOException e) {
      failed(reason(e), REST);
      throw e;
    }
  }

  /// Asks an endpoint of another chain whether it is that still.
  void lookAgain() {
    try {
      requireChain();
    } catch (IOException | ChainMismatchException e) {
      LOG.debug("RPC endpoint {} is not asked yet", name, e);
    }
  }

  /// Notes that it was so slow that another was asked.
  void slow(Duration waited) {
    failed("it did not answer within " + waited.toMillis() + " ms", REST);
  }

  /// Asks for its newest block's number.
  OptionalLong askHead() {
    try {
      byte[] answer =
          ask("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"eth_blockNumber\",\"params\":[]}");
      long number = quantity(answer, "eth_blockNumber");
      synchronized (this) {
        head = OptionalLong.of(number);
        return head;
      }
    } catch (IOException | ChainMismatchException e) {
      return OptionalLong.empty();
    }
  }

  /// Notes how its newest block stands to the newest of all endpoints.
  synchronized void compare(long newest) {
    if (head.isEmpty()) {
      return;
    }
    long lacks = Math.max(0, newest - head.getAsLong());
    blocksBehind = OptionalLong.of(lacks);
    boolean now = lacks > settings.blocksBehindMax();
    if (now) {
      trouble = "it is " + lacks + " blocks behind another endpoint";
    }
    if (now && !behind) {
      LOG.warn("RPC endpoint {} is {} blocks behind and is passed over", name, lacks);
    } else if (behind && !now) {
      LOG.info("RPC endpoint {} has caught up", name);
    }
    behind = now;
  }

  /// Asks for its chain id where that was not done yet.
  ///
  /// @throws ChainMismatchException if it serves another chain; it is not asked any more
  private void requireChain() throws IOException {
    synchronized (this) {
      if (chainChecked) {
        return;
      }
    }
    long actual =
        quantity(
            post("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"eth_chainId\",\"params\":[]}"),
            "eth_chainId");
    synchronized (this) {
      if (actual != settings.chainId()) {
        String sentence =
            "The RPC endpoint %s serves the chain %d, but %d is configured; correct the endpoint or the chain id."
                .formatted(name, actual, settings.chainId());
        if (!wrongChain) {
          LOG.error("{}", sentence);
        }
        wrongChain = true;
        trouble = sentence;
        throw new ChainMismatchException(sentence);
      }
      if (wrongChain) {
        LOG.info("RPC endpoint {} serves the chain {} now and is asked again", name, actual);
        wrongChain = false;
      }
      chainChecked = true;
    }
  }

  private static long quantity(byte[] answer, String method) throws IOException {
    try {
      JsonNode result = JSON.readTree(answer).path("result");
      return new BigInteger(result.stringValue("").substring(2), 16).longValueExact();
    } catch (JacksonException | IndexOutOfBoundsException | ArithmeticException e) {
      throw new IOException("it does not answer " + method + " as a chain does", e);
    } catch (NumberFormatException e) {
      throw new IOException("it answers " + method + " with no number", e);
    }
  }

  private synchronized void worked() {
    if (failing) {
      LOG.info("RPC endpoint {} answers again", name);
    }
    failing = false;
  }

  private synchronized void failed(String reason, Duration rest) {
    failures++;
    if (!failing) {
      LOG.warn("RPC endpoint {} failed: {}", name, reason);
    }
    failing = true;
    trouble = reason;
    chainChecked = false;
    restUntilNanos = System.nanoTime() + rest.toNanos();
  }

  /// Why it failed, in words that hold nothing of its address.
  String reason(IOException e) {
    String message = e.getMessage();
    return message == null
        ? e.getClass().getSimpleName()
        : EndpointName.withoutSecrets(uri, message);
  }

  private byte[] post(String payload) throws IOException {
    long begun = System.nanoTime();
    synchronized (this) {
      requests++;
    }
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
      throw new InterruptedIOException("interrupted while waiting for an answer");
    }
    byte[] answer = BoundedBody.read(response, RESPONSE_BYTES_MAX + 1, settings.requestTimeout());
    if (answer.length > RESPONSE_BYTES_MAX) {
      throw new AnswerTooLarge();
    }
    int status = response.statusCode();
    if (status != 200 && !isRefusal(status, answer)) {
      throw new Failed(
          "it answers with HTTP status " + status, rest(response.headers(), Instant.now()));
    }
    Optional<String> limit = limited(answer);
    if (limit.isPresent()) {
      throw new Failed(limit.get(), rest(response.headers(), Instant.now()));
    }
    synchronized (this) {
      answers++;
      answering = answering.plusNanos(System.nanoTime() - begun);
    }
    return answer;
  }

  /// Some endpoints give a JSON-RPC error a status of its own, such as 400 for too many blocks.
  private static boolean isRefusal(int status, byte[] answer) {
    return status >= 400
        && status < 500
        && status != 401
        && status != 403
        && status != 429
        && error(answer).isObject();
  }

  /// Some endpoints say in an answer of status 200 that they were asked too often.
  private static Optional<String> limited(byte[] answer) {
    JsonNode error = error(answer);
    String message = error.path("message").asString("");
    String lower = message.toLowerCase(Locale.ROOT);
    boolean limited =
        error.path("code").asInt(0) == 429
            || lower.contains("rate limit")
            || lower.contains("rate-limit")
            || lower.contains("too many requests")
            || lower.contains("request count exceeded");
    return limited ? Optional.of("it was asked too often: " + message) : Optional.empty();
  }

  private static JsonNode error(byte[] answer) {
    if (answer.length > REFUSAL_BYTES_MAX) {
      return JSON.missingNode();
    }
    try {
      return JSON.readTree(answer).path("error");
    } catch (JacksonException e) {
      return JSON.missingNode();
    }
  }

  /// What `Retry-After` asks for, in seconds or as a date (RFC 9110, section 10.2.3).
  static Duration rest(HttpHeaders headers, Instant now) {
    Optional<String> value = headers.firstValue("Retry-After").map(String::strip);
    if (value.isEmpty()) {
      return REST;
    }
    Duration asked;
    try {
      asked = Duration.ofSeconds(Integer.parseInt(value.get()));
    } catch (NumberFormatException e) {
      try {
        asked =
            Duration.between(
                now,
                ZonedDateTime.parse(value.get(), DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
      } catch (DateTimeParseException noDate) {
        return REST;
      }
    }
    return asked.compareTo(REST_MIN) < 0
        ? REST_MIN
        : asked.compareTo(REST_MAX) > 0 ? REST_MAX : asked;
  }
}
