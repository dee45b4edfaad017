package io.rigmesh.worker.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.rigmesh.worker.process.WorkerException.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/// A worker process that this process started. It ends with this one: the worker watches its
/// standard input, which the system closes when the parent is gone, however it went. Safe for use
/// by several threads.
public final class WorkerProcess implements AutoCloseable {
  /// What the worker prints alone on a line of its standard output once it listens.
  static final String READY = "rigmesh-worker ready";

  private static final int LINE_CHARS_MAX = 4_096;

  private final Process process;
  private final WorkerClient client;
  private final CompletableFuture<Boolean> listening = new CompletableFuture<>();

  private WorkerProcess(Process process, WorkerClient client) {
    this.process = process;
    this.client = client;
  }

  /// Starts a worker and waits until it listens.
  ///
  /// @param log gets every line that the worker prints, on a thread of its own
  /// @param patience how long to wait
  /// @throws WorkerException if it does not come up; nothing is left running then
  public static WorkerProcess start(WorkerLaunch launch, Consumer<String> log, Duration patience) {
    Process process;
    try {
      Files.createDirectories(launch.home().resolve("tmp"));
      process = launch.processBuilder().start();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot start a worker with " + launch.java() + ": " + e.getMessage(), e);
    }
    WorkerProcess worker = new WorkerProcess(process, WorkerClient.connect(launch.socket()));
    worker.read(process.getInputStream(), log, "out");
    worker.read(process.getErrorStream(), log, "err");
    boolean up = false;
    try {
      up = worker.awaitReady(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (!up) {
        worker.close();
      }
    }
    if (up) {
      return worker;
    }
    throw new WorkerException(
        Reason.LOST,
        "The worker for device %s did not come up within %d seconds; its log says why."
            .formatted(launch.device(), patience.toSeconds()));
  }

  /// What talks to it.
  public WorkerClient client() {
    return client;
  }

  /// The process itself.
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /// Completes with the exit status when the process has ended; see [WorkerMain] for what it says.
  public CompletableFuture<Integer> ended() {
    return process.onExit().thenApply(Process::exitValue);
  }

  /// Ends the process: politely at first, after five seconds by force.
  @Override
  public void close() {
    client.close();
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // The pipe is gone because the process is: what was wanted.
      process.destroy();
    }
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private boolean awaitReady(Duration patience) throws InterruptedException {
    try {
      return listening.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private void read(InputStream stream, Consumer<String> log, String name) {
    Thread.ofVirtual()
        .name("worker-" + process.pid() + "-" + name)
        .start(() -> {
          try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream, UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
              if (line.equals(READY)) {
                listening.complete(true);
              } else {
                log.accept(
                    line.length() > LINE_CHARS_MAX ? line.substring(0, LINE_CHARS_MAX) : line);
              }
            }
          } catch (IOException e) {
            // The stream breaks off when the process is killed; its exit status is what counts.
            log.accept("(the worker's output broke off: " + e.getMessage() + ")");
          }
          // Its output ends with the process, so it will not listen any more if it does not yet.
          if (name.equals("out")) {
            listening.complete(false);
          }
        });
  }
}
