package io.rigmesh.node.requester;

import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.protocol.MalformedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;

/// Reads a stream of server-sent events (WHATWG HTML, 9.2) as the daemon writes it. A stream that
/// is silent for too long, heartbeats counted, is closed: the other side may be gone without a
/// word.
final class EventStreamReader {
  private static final int LINE_CHARS_MAX = 1 << 20;
  private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

  private final InputStream in;
  private final Duration silenceMax;

  EventStreamReader(InputStream in, Duration silenceMax) {
    this.in = in;
    this.silenceMax = silenceMax;
  }

  /// Reads to the end.
  ///
  /// @param parse reads an event's data
  /// @param heard gets every event; false ends the reading
  /// @return true if the reading ended because `heard` or an event `end` said so
  boolean read(Function<String, JobEvent> parse, Predicate<JobEvent> heard) throws IOException {
    AtomicLong heardAtNanos = new AtomicLong(System.nanoTime());
    Thread guard = Thread.ofVirtual().start(() -> guard(heardAtNanos));
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      StringBuilder data = new StringBuilder();
      String type = "";
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        heardAtNanos.set(System.nanoTime());
        if (data.length() + line.length() > LINE_CHARS_MAX) {
          throw new MalformedException("the provider sent an event of absurd length");
        }
        if (line.startsWith("data:")) {
          data.append(line.substring(5).strip());
        } else if (line.startsWith("event:")) {
          type = line.substring(6).strip();
        } else if (line.isEmpty()) {
          if (type.equals("end")) {
            return true;
          }
          if (!data.isEmpty() && !heard.test(parse.apply(data.toString()))) {
            return true;
          }
          data.setLength(0);
          type = "";
        }
      }
      return false;
    } finally {
      guard.interrupt();
    }
  }

  private void guard(AtomicLong heardAtNanos) {
    try {
      while (System.nanoTime() - heardAtNanos.get() < silenceMax.toNanos()) {
        Thread.sleep(LOOK_EVERY);
      }
      in.close();
    } catch (InterruptedException e) {
      // The reading is over.
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("closing a silent stream failed", e);
    }
  }
}
