package io.rigmesh.node.quickstart;

import io.rigmesh.node.client.DaemonClient;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// A daemon as a child process, with a home of its own.
final class ChildNode implements AutoCloseable {
  private static final Set<String> LAUNCHER_VARIABLES =
      Set.of("RIGMESH_JAVA", "RIGMESH_JAVA_OPTS", "RIGMESH_CACHE");
  private static final String HEAP = "-Xmx128m";
  private static final Duration START_MAX = Duration.ofSeconds(60);
  private static final Duration STOP_MAX = Duration.ofSeconds(15);

  private final String name;
  private final Path home;
  private final int port;
  private final Process process;

  private ChildNode(String name, Path home, int port, Process process) {
    this.name = name;
    this.home = home;
    this.port = port;
    this.process = process;
  }

  /// Starts a daemon on `home`, which holds its `rigmesh.yaml`.
  ///
  /// @param launcher the program `bin/rigmesh`
  static ChildNode start(String name, Path launcher, Path home, int port) {
    try {
      ProcessBuilder builder =
          new ProcessBuilder(launcher.toString(), "up", "--home", home.toString())
              .redirectErrorStream(true)
              .redirectOutput(home.resolve("daemon.log").toFile());
      // The settings of a node that the person runs besides are not this one's; the launcher's own
      // are.
      builder
          .environment()
          .keySet()
          .removeIf(k -> k.startsWith("RIGMESH_") && !LAUNCHER_VARIABLES.contains(k));
      // Three of them share this machine with their workers; what the person asks for goes above
      // it.
      builder.environment().merge("RIGMESH_JAVA_OPTS", HEAP, (theirs, ours) -> ours + " " + theirs);
      Process process = builder.start();
      process.getOutputStream().close();
      return new ChildNode(name, home, port, process);
    } catch (IOException e) {
      throw new QuickstartException(
          "the " + name + " cannot be started: " + e.getMessage() + "; is bin/rigmesh executable?",
          e);
    }
  }

  /// Waits until the daemon answers, and gives a client for it.
  DaemonClient awaitClient() {
    Instant end = Instant.now().plus(START_MAX);
    Path token = tokenFile();
    while (Instant.now().isBefore(end)) {
      requireAlive();
      if (Files.exists(token)) {
        DaemonClient client = DaemonClient.of(URI.create(url()), token);
        if (client.isLive()) {
          return client;
        }
      }
      pause();
    }
    throw new QuickstartException(
        "the "
            + name
            + " did not answer within "
            + START_MAX.toSeconds()
            + " seconds; its log is "
            + home.resolve("daemon.log"));
  }

  /// Waits until the daemon says that it is ready for work.
  void awaitReady(DaemonClient client) {
    Instant end = Instant.now().plus(START_MAX);
    while (!client.isReady()) {
      requireAlive();
      if (Instant.now().isAfter(end)) {
        throw new QuickstartException(
            "the "
                + name
                + " is not ready after "
                + START_MAX.toSeconds()
                + " seconds; "
                + url()
                + "/health/ready says why");
      }
      pause();
    }
  }

  Path tokenFile() {
    return home.resolve("rest-token");
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  @Override
  public void close() {
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

  private void requireAlive() {
    if (!process.isAlive()) {
      throw new QuickstartException("the " + name + " ended: " + lastWords());
    }
  }

  private String lastWords() {
    try {
      List<String> lines = Files.readAllLines(home.resolve("daemon.log"), StandardCharsets.UTF_8);
      return String.join(" ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    } catch (IOException e) {
      return "it left no log";
    }
  }

  static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuickstartException("interrupted", e);
    }
  }
}
