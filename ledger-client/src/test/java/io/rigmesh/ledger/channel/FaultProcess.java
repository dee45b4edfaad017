package io.rigmesh.ledger.channel;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;

/// One side's process as its parent sees it.
final class FaultProcess implements AutoCloseable {
  /// How a line begins that is meant for the parent.
  static final String SAYS = "fault: ";

  /// What a process that is no more has said last.
  static final String DEAD = "dead";

  private static final int LINES_KEPT = 200;

  private final Process process;
  private final Deque<String> said = new ArrayDeque<>();

  /// A process says something.
  ///
  /// @param from who
  /// @param what the words; [#DEAD] behind the last
  record Message(FaultProcess from, String what) {}

  /// Starts a process that waits for work.
  ///
  /// @param messages gets what it says
  FaultProcess(Queue<Message> messages) {
    try {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-XX:TieredStopAtLevel=1",
                  "-XX:+UseSerialGC",
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  FaultChild.class.getName())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(() -> read(messages));
  }

  private void read(Queue<Message> messages) {
    try (BufferedReader reader = process.inputReader()) {
      String line;
      while ((line = reader.readLine()) != null) {
        keep(line);
        if (line.startsWith(SAYS)) {
          messages.add(new Message(this, line.substring(SAYS.length())));
        }
      }
    } catch (IOException e) {
      keep(e.toString());
    }
    messages.add(new Message(this, DEAD));
  }

  private synchronized void keep(String line) {
    said.addLast(line);
    if (said.size() > LINES_KEPT) {
      said.removeFirst();
    }
  }

  /// The last lines that it printed.
  synchronized String said() {
    return String.join("\n", said);
  }

  /// Tells it something. One that is dead does not hear it.
  void tell(String line) {
    try {
      process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
    } catch (IOException e) {
      keep("not told: " + line);
    }
  }

  /// Ends it by SIGKILL.
  void kill() {
    process.destroyForcibly();
  }

  /// How it ended.
  int exitValue() {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /// Ends it, and returns when it is gone: its stores' folder is deleted next.
  @Override
  public void close() {
    kill();
    int _ = exitValue();
  }
}
