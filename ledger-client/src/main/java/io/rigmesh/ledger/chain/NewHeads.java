package io.rigmesh.ledger.chain;

import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Hears of new blocks over a WebSocket (`eth_subscribe` to `newHeads`), as soon as an endpoint has
/// them. It only says that there is something to look for: what is there is read by [ChainRpc], and
/// whoever polls goes on doing so, so that nothing is missed while the connection is away. Connects
/// again by itself, to the next endpoint where there are several.
public final class NewHeads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NewHeads.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration CONNECT_MAX = Duration.ofSeconds(10);

  /// A connection that is silent for so long is asked whether it is there.
  private static final Duration QUIET_MAX = Duration.ofSeconds(20);

  private static final Duration PAUSE_MIN = Duration.ofMillis(250);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(30);

  /// A header has about 2 kB.
  private static final int MESSAGE_CHARS_MAX = 64 * 1024;

  private final long chainId;
  private final List<URI> endpoints;
  private final Runnable onHead;
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(CONNECT_MAX).build();
  private final Thread loop;
  private final AtomicLong heads = new AtomicLong();
  private volatile boolean closing;
  private volatile boolean connected;
  private volatile String trouble = "it has not connected yet";

  private NewHeads(long chainId, List<URI> endpoints, Runnable onHead) {
    this.chainId = chainId;
    this.endpoints = endpoints;
    this.onHead = onHead;
    this.loop = Thread.ofVirtual().name("new-heads").unstarted(this::run);
  }

  /// Starts listening.
  ///
  /// @param endpoints ws or wss addresses, the preferred one first
  /// @param onHead called for each new block, on a thread of this object; must not wait
  /// @throws IllegalArgumentException if there is no endpoint or one is no WebSocket's address
  public static NewHeads start(long chainId, List<URI> endpoints, Runnable onHead) {
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("name at least one WebSocket endpoint");
    }
    for (URI endpoint : endpoints) {
      if (!"ws".equals(endpoint.getScheme()) && !"wss".equals(endpoint.getScheme())) {
        throw new IllegalArgumentException("a WebSocket endpoint is neither ws nor wss");
      }
    }
    NewHeads heads = new NewHeads(chainId, List.copyOf(endpoints), onHead);
    heads.loop.start();
    return heads;
  }

  /// True while an endpoint tells of new blocks.
  public boolean isConnected() {
    return connected;
  }

  /// How many new blocks were told of since the start.
  public long heads() {
    return heads.get();
  }

  /// Why nothing is heard, naming the endpoint that was tried last; empty while one tells of
  /// blocks.
  public String trouble() {
    return connected ? "" : trouble;
  }

  @Override
  public void close() {
    closing = true;
    loop.interrupt();
    try {
      loop.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    client.shutdownNow();
    client.close();
  }

  private void run() {
    Duration pause = PAUSE_MIN;
    int turn = 0;
    boolean said = false;
    try {
      while (!closing) {
        URI endpoint = endpoints.get(turn++ % endpoints.size());
        String name = EndpointName.of(endpoint);
        try {
          listen(endpoint, name);
        } catch (IOException e) {
          String reason = EndpointName.withoutSecrets(endpoint, String.valueOf(e.getMessage()));
          trouble = name + ": " + reason;
          if (connected || !said) {
            LOG.warn(
                "WebSocket endpoint {} failed, new blocks are asked for until it is back: {}",
                name,
                reason);
            said = true;
          }
          if (connected) {
            pause = PAUSE_MIN;
          }
        } finally {
          connected = false;
        }
        Thread.sleep(pause);
        pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) > 0 ? PAUSE_MAX : pause.multipliedBy(2);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Connects, subscribes, and tells of blocks until the connection ends.
  private void listen(URI endpoint, String name) throws IOException, InterruptedException {
    Inbox inbox = new Inbox();
    WebSocket socket;
    try {
      socket =
          client
              .newWebSocketBuilder()
              .connectTimeout(CONNECT_MAX)
              .buildAsync(endpoint, inbox)
              .get(CONNECT_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException("it cannot be connected to: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new IOException("it did not connect in " + CONNECT_MAX.toSeconds() + " s", e);
    }
    try {
      long actual = number(request(socket, inbox, 1, "eth_chainId", ""));
      if (actual != chainId) {
        throw new IOException("it serves the chain " + actual + " instead of " + chainId);
      }
      request(socket, inbox, 2, "eth_subscribe", "\"newHeads\"");
      LOG.info("WebSocket endpoint {} tells of new blocks", name);
      connected = true;
      // What came before the subscription is not told.
      onHead.run();
      boolean asked = false;
      while (true) {
        String message = inbox.messages.poll(QUIET_MAX.toMillis(), TimeUnit.MILLISECONDS);
        if (message == null) {
          if (asked) {
            throw new IOException("it is silent");
          }
          var _ = socket.sendPing(ByteBuffer.allocate(0));
          asked = true;
        } else if (message.equals(Inbox.END)) {
          throw new IOException("it closed the connection");
        } else {
          asked = false;
          if (!message.equals(Inbox.PONG)
              && parse(message).path("method").asString("").equals("eth_subscription")) {
            heads.incrementAndGet();
            onHead.run();
          }
        }
      }
    } finally {
      socket.abort();
    }
  }

  private static JsonNode request(
      WebSocket socket, Inbox inbox, int id, String method, String parameter)
      throws IOException, InterruptedException {
    var _ =
        socket.sendText(
            "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":[%s]}"
                .formatted(id, method, parameter),
            true);
    while (true) {
      String message = inbox.messages.poll(CONNECT_MAX.toMillis(), TimeUnit.MILLISECONDS);
      if (message == null || message.equals(Inbox.END)) {
        throw new IOException("it does not answer " + method);
      }
      if (message.equals(Inbox.PONG)) {
        continue;
      }
      JsonNode answer = parse(message);
      if (answer.path("id").asInt(-1) == id) {
        if (answer.has("error")) {
          throw new IOException("it refuses " + method + ": " + answer.path("error"));
        }
        return answer.path("result");
      }
    }
  }

  private static JsonNode parse(String message) throws IOException {
    try {
      return JSON.readTree(message);
    } catch (JacksonException e) {
      throw new IOException("it sends what is no JSON", e);
    }
  }

  private static long number(JsonNode quantity) throws IOException {
    try {
      return new BigInteger(quantity.asString("").substring(2), 16).longValueExact();
    } catch (IndexOutOfBoundsException | ArithmeticException | NumberFormatException e) {
      throw new IOException("it answers eth_chainId with no number", e);
    }
  }

  /// Takes messages as they arrive: a small one for each block, and each is looked at at once.
  private static final class Inbox implements WebSocket.Listener {
    static final String PONG = "pong";
    static final String END = "end";

    private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
    private final StringBuilder part = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      part.append(data);
      if (part.length() > MESSAGE_CHARS_MAX) {
        messages.add(END);
        socket.abort();
        return null;
      }
      if (last) {
        messages.add(part.toString());
        part.setLength(0);
      }
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
      messages.add(PONG);
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      messages.add(END);
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      messages.add(END);
    }
  }
}
