package io.rigmesh.ledger.dev;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.protocol.Address;
import java.io.BufferedReader;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A development chain of this machine: anvil as a child process on a loopback port. It mines a
/// block for every transaction, or one every few seconds. Nothing on it has a value.
public final class DevChain implements AutoCloseable {
  private static final Pattern LISTENING =
      Pattern.compile("(?:Listening on |server at http://)(?:127\\.0\\.0\\.1|\\[::1]):(\\d+)");
  private static final Duration START_MAX = Duration.ofMinutes(2);

  /// A chain that keeps its state writes it when it is told to stop.
  private static final Duration STOP_MAX = Duration.ofSeconds(30);

  private static final Duration CONNECT_MAX = Duration.ofSeconds(30);
  private static final Duration ANSWER_MAX = Duration.ofMinutes(1);

  private static final int LINES_KEPT = 20;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final URI endpoint;
  private final long chainId;
  private final long processId;
  private final Runnable stop;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_MAX)
          .build();

  /// A chain that is there already, and what its closing does.
  DevChain(URI endpoint, long chainId, long processId, Runnable stop) {
    this.endpoint = endpoint;
    this.chainId = chainId;
    this.processId = processId;
    this.stop = stop;
  }

  /// How a development chain behaves.
  ///
  /// @param binary the program, see [AnvilBinary#find]
  /// @param port the loopback port; 0 for any that is free
  /// @param chainId the EIP-155 id
  /// @param blockTime a block every so many seconds; empty for one at every transaction
  /// @param state a file that keeps the chain from one start to the next; empty for a chain that
  ///   forgets
  public record Settings(
      Path binary, int port, long chainId, Optional<Duration> blockTime, Optional<Path> state) {
    /// Any free port, the id 31337, a block at every transaction, nothing kept.
    public static Settings standard(Path binary) {
      return new Settings(binary, 0, 31337, Optional.empty(), Optional.empty());
    }
  }

  /// Starts a chain and waits until it listens.
  ///
  /// @throws LedgerException if it does not start; the message holds what anvil said
  public static DevChain start(Settings settings) {
    List<String> command =
        new ArrayList<>(
            List.of(
                settings.binary().toString(),
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(settings.port()),
                "--chain-id",
                Long.toString(settings.chainId()),
                "--accounts",
                "1"));
    settings
        .blockTime()
        .ifPresent(
            time -> command.addAll(List.of("--block-time", Long.toString(time.toSeconds()))));
    settings.state().ifPresent(file -> command.addAll(List.of("--state", file.toString())));
    return start(new ProcessBuilder(command), settings.chainId());
  }

  /// Starts any program that serves a development chain with the methods of Hardhat's network, as
  /// anvil does, and waits until it listens.
  static DevChain start(ProcessBuilder program, long chainId) {
    Process process;
    try {
      process = program.redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new LedgerException(
          "The development chain "
              + program.command().get(0)
              + " does not start: "
              + e.getMessage(),
          e);
    }
    // A program that ends without closing its chain must not leave it behind.
    Thread end = new Thread(process::destroy, "anvil-end");
    Runtime.getRuntime().addShutdownHook(end);
    CompletableFuture<Void> _ = process.onExit().thenRun(() -> forget(end));
    CompletableFuture<Integer> port = new CompletableFuture<>();
    Thread.ofVirtual().name("anvil-output").start(() -> readOutput(process, port));
    try {
      int listening = port.get(START_MAX.toSeconds(), TimeUnit.SECONDS);
      return new DevChain(
          URI.create("http://127.0.0.1:" + listening), chainId, process.pid(), () -> stop(process));
    } catch (ExecutionException e) {
      process.destroyForcibly();
      throw new LedgerException("The development chain did not start: " + e.getMessage(), e);
    } catch (TimeoutException e) {
      process.destroyForcibly();
      throw new LedgerException(
          "The development chain was not ready after " + START_MAX.toSeconds() + " seconds.", e);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new LedgerException("Starting the development chain was interrupted.", e);
    }
  }

  /// Its JSON-RPC address.
  public URI endpoint() {
    return endpoint;
  }

  /// Its EIP-155 id.
  public long chainId() {
    return chainId;
  }

  /// The id of its process.
  public long processId() {
    return processId;
  }

  /// Sets what an account holds of the chain's coin.
  public void setBalance(Address account, BigInteger wei) {
    request("hardhat_setBalance", account.hex(), "0x" + wei.toString(16));
  }

  /// Sends any JSON-RPC request, such as anvil's own for mining and for setting the clock.
  ///
  /// @param parameters texts, numbers, truth values, or parsed JSON
  /// @return the result
  public JsonNode request(String method, Object... parameters) {
    ObjectNode request = JSON.createObjectNode();
    request.put("jsonrpc", "2.0").put("id", 1).put("method", method);
    ArrayNode list = request.putArray("params");
    for (Object parameter : parameters) {
      list.addPOJO(parameter);
    }
    try {
      HttpResponse<byte[]> response =
          client.send(
              HttpRequest.newBuilder(endpoint)
                  .timeout(ANSWER_MAX)
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(request)))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      JsonNode answer = JSON.readTree(response.body());
      if (answer.has("error")) {
        throw new LedgerException(
            "the development chain refused " + method + ": " + answer.get("error"));
      }
      return answer.path("result");
    } catch (IOException e) {
      throw new LedgerException(
          "the development chain does not answer " + method + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LedgerException("waiting for the development chain was interrupted", e);
    }
  }

  /// Stops the chain, which writes its state where it has a file for it.
  @Override
  public void close() {
    client.close();
    stop.run();
  }

  private static void stop(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(STOP_MAX.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static void forget(Thread end) {
    try {
      Runtime.getRuntime().removeShutdownHook(end);
    } catch (IllegalStateException e) {
      // The runtime is ending and runs it already.
    }
  }

  /// Reads what anvil prints for as long as it lives: a full pipe would stop it.
  private static void readOutput(Process process, CompletableFuture<Integer> port) {
    Deque<String> last = new ArrayDeque<>();
    try (BufferedReader reader = process.inputReader()) {
      String line;
      while ((line = reader.readLine()) != null) {
        Matcher matcher = LISTENING.matcher(line);
        if (matcher.find()) {
          port.complete(Integer.parseInt(matcher.group(1)));
        }
        if (!port.isDone()) {
          last.addLast(line);
          if (last.size() > LINES_KEPT) {
            last.removeFirst();
          }
        }
      }
    } catch (IOException e) {
      last.addLast(String.valueOf(e.getMessage()));
    }
    port.completeExceptionally(new LedgerException(String.join(" ", last).strip()));
  }
}
