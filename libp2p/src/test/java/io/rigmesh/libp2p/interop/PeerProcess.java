package io.rigmesh.libp2p.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/// A peer as a process of its own, driven by JSON lines: js-libp2p's ([JsPeer]), or ours where two
/// processes are measured ([BenchPeer]). src/test/interop/peer.mjs describes the lines. Every wait
/// has a deadline, and what fails says what the process wrote to stderr.
public class PeerProcess implements AutoCloseable {
  static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final int STDERR_LINES_MAX = 100;

  private final Process process;
  private final Thread end;
  private final Writer input;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<Integer, JsonNode> answers = new HashMap<>();
  private final List<JsonNode> events = new ArrayList<>();
  private final ArrayDeque<String> stderr = new ArrayDeque<>();
  private final PeerId id;
  private final List<Multiaddr> addresses;
  private int openOutputs = 2;
  private int calls;

  PeerProcess(ProcessBuilder command) throws IOException {
    process = command.start();
    // Also where a test breaks off before it could close this.
    end = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(end);
    input = process.outputWriter();
    Thread.ofVirtual().start(() -> readLines(process.inputReader(), this::take));
    Thread.ofVirtual().start(() -> readLines(process.errorReader(), this::complain));
    JsonNode ready = await("ready", any -> true);
    id = PeerId.of(ready.get("peer").asText());
    addresses = new ArrayList<>();
    for (JsonNode address : ready.get("addresses")) {
      addresses.add(Multiaddr.of(address.asText()).withoutPeerId());
    }
  }

  public PeerId id() {
    return id;
  }

  public List<Multiaddr> addresses() {
    return addresses;
  }

  public PeerAddress address() {
    return new PeerAddress(id, addresses);
  }

  /// Its first address with its peer id.
  public String fullAddress() {
    return addresses.getFirst() + "/p2p/" + id;
  }

  /// Runs a command and returns its answer.
  ///
  /// @param namesAndValues alternating
  /// @throws PeerProcessException with the peer's own error
  public JsonNode call(String command, Object... namesAndValues) {
    return call(PATIENCE, command, namesAndValues);
  }

  /// As the other `call`, within another deadline.
  public JsonNode call(Duration patience, String command, Object... namesAndValues) {
    return answer(send(command, namesAndValues), patience, command);
  }

  /// Starts a command whose answer is not waited for here.
  public int send(String command, Object... namesAndValues) {
    ObjectNode line = MAPPER.createObjectNode();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      line.set((String) namesAndValues[i], MAPPER.valueToTree(namesAndValues[i + 1]));
    }
    lock.lock();
    try {
      int number = ++calls;
      line.put("id", number).put("do", command);
      input.write(line + "\n");
      input.flush();
      return number;
    } catch (IOException e) {
      throw new AssertionError("the peer is gone before " + command + trouble(), e);
    } finally {
      lock.unlock();
    }
  }

  /// Waits for the answer to a command that was sent.
  public JsonNode answer(int number, Duration patience, String command) {
    lock.lock();
    try {
      long nanos = patience.toNanos();
      while (!answers.containsKey(number)) {
        nanos = await(nanos, "an answer to " + command);
      }
      JsonNode answer = answers.remove(number);
      if (answer.has("error")) {
        throw new PeerProcessException(command + ": " + answer.get("error").asText());
      }
      return answer.get("ok");
    } finally {
      lock.unlock();
    }
  }

  /// Takes the first event of this name that fits, waiting for it when it has not come.
  public JsonNode await(String event, Predicate<JsonNode> fits) {
    return await(PATIENCE, event, fits);
  }

  /// As the other `await`, within another deadline.
  public JsonNode await(Duration patience, String event, Predicate<JsonNode> fits) {
    lock.lock();
    try {
      long nanos = patience.toNanos();
      while (true) {
        for (Iterator<JsonNode> each = events.iterator(); each.hasNext(); ) {
          JsonNode found = each.next();
          if (found.get("event").asText().equals(event) && fits.test(found)) {
            each.remove();
            return found;
          }
        }
        nanos = await(nanos, "the event " + event);
      }
    } finally {
      lock.unlock();
    }
  }

  /// The events of this name that have come and were not taken.
  public List<JsonNode> seen(String event) {
    lock.lock();
    try {
      return events.stream().filter(each -> each.get("event").asText().equals(event)).toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    try {
      input.close();
    } catch (IOException e) {
      // It has ended already.
    }
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(end);
    } catch (IllegalStateException e) {
      // The machine is going down, and the hook runs.
    }
  }

  private long await(long nanos, String what) {
    if (nanos <= 0 || openOutputs == 0) {
      String how = openOutputs == 0 ? "ended before " : "did not give in time ";
      throw new AssertionError("the peer " + how + what + trouble());
    }
    try {
      return changed.awaitNanos(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for " + what, e);
    }
  }

  private String trouble() {
    lock.lock();
    try {
      StringBuilder text = new StringBuilder("; events not taken: ");
      for (JsonNode event : events) {
        text.append("\n  ").append(event);
      }
      text.append("\nstderr:\n  ").append(String.join("\n  ", stderr));
      return text.toString();
    } finally {
      lock.unlock();
    }
  }

  private void take(String line) throws IOException {
    if (!line.startsWith("{")) {
      complain(line);
      return;
    }
    JsonNode message = MAPPER.readTree(line);
    if (message.has("id")) {
      answers.put(message.get("id").asInt(), message);
    } else {
      events.add(message);
    }
  }

  private void complain(String line) {
    stderr.addLast(line);
    if (stderr.size() > STDERR_LINES_MAX) {
      stderr.removeFirst();
    }
  }

  private interface LineTaker {
    void take(String line) throws IOException;
  }

  private void readLines(BufferedReader lines, LineTaker taker) {
    try (lines) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        lock.lock();
        try {
          taker.take(line);
          changed.signalAll();
        } finally {
          lock.unlock();
        }
      }
    } catch (IOException e) {
      // The process is gone; those who wait hear of it below.
    }
    lock.lock();
    try {
      openOutputs--;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
