package io.rigmesh.worker.process;

import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.device.DeviceException;
import io.rigmesh.worker.tokenizer.NativeTokenizers;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/// The worker process: serves one device on one Unix domain socket until its standard input is
/// closed, which the system does when the parent is gone.
///
/// Exit status: 0 when the parent closed its input, 1 when something failed that a restart may
/// cure, 2 when the command line or the device is wrong and a restart will not help, 3 when a job
/// ran out of memory.
public final class WorkerMain {
  /// The parent closed the worker's standard input.
  public static final int EXIT_DONE = 0;

  /// A fault; a restart may help.
  public static final int EXIT_FAULT = 1;

  /// The command line or the device is wrong; a restart does not help.
  public static final int EXIT_USAGE = 2;

  /// A job ran out of memory; what is left of the heap is not trusted. The same status that Java
  /// gives with `-XX:+ExitOnOutOfMemoryError`.
  public static final int EXIT_OUT_OF_MEMORY = 3;

  private static final List<String> OPTIONS =
      List.of("--socket", "--device", "--threads", "--home");
  private static final int THREADS_MAX = 1_024;

  private WorkerMain() {}

  /// What the command line says.
  ///
  /// @param socket where to listen
  /// @param device `cpu`, or such as `cuda:0`
  /// @param threads how many compute
  /// @param home a folder of its own, for the native libraries that it unpacks
  record Options(Path socket, String device, int threads, Path home) {
    /// Reads `--name value` pairs.
    ///
    /// @throws IllegalArgumentException saying what is missing or wrong
    static Options parse(String... args) {
      Map<String, String> values = new TreeMap<>();
      for (int i = 0; i < args.length; i += 2) {
        if (!OPTIONS.contains(args[i]) || i + 1 == args.length) {
          throw new IllegalArgumentException("'%s' is no option with a value".formatted(args[i]));
        }
        values.put(args[i], args[i + 1]);
      }
      for (String option : OPTIONS) {
        if (!values.containsKey(option)) {
          throw new IllegalArgumentException(option + " is missing");
        }
      }
      return new Options(
          Path.of(required(values, "--socket")),
          required(values, "--device"),
          threads(required(values, "--threads")),
          Path.of(required(values, "--home")));
    }

    private static String required(Map<String, String> values, String option) {
      return values.getOrDefault(option, "");
    }

    private static int threads(String text) {
      try {
        int threads = Integer.parseInt(text);
        if (threads >= 1 && threads <= THREADS_MAX) {
          return threads;
        }
      } catch (NumberFormatException e) {
        // Said below, together with numbers out of range.
      }
      throw new IllegalArgumentException(
          "--threads is a number from 1 to " + THREADS_MAX + ", not '" + text + "'");
    }
  }

  /// Runs the worker.
  public static void main(String[] args) {
    // Only the line that says that the worker listens goes to standard output; whatever else a
    // library prints there must not be mistaken for it.
    PrintStream parent = System.out;
    System.setOut(System.err);
    System.exit(run(parent, args));
  }

  private static int run(PrintStream parent, String... args) {
    Options options;
    ComputeDevice device;
    try {
      options = Options.parse(args);
      NativeTokenizers.unpackInto(options.home().resolve("native"));
      device = ComputeDevice.open(options.device(), options.threads());
    } catch (IllegalArgumentException e) {
      System.err.println(
          "rigmesh worker: "
              + e.getMessage()
              + ". Usage: --socket PATH --device cpu|cuda:N --threads N --home PATH");
      return EXIT_USAGE;
    } catch (DeviceException | UnsupportedOperationException e) {
      System.err.println("rigmesh worker: " + e.getMessage());
      return EXIT_USAGE;
    } catch (UncheckedIOException e) {
      System.err.println("rigmesh worker: " + e.getMessage());
      return EXIT_FAULT;
    }
    CompletableFuture<Integer> exit = new CompletableFuture<>();
    WorkerServer server;
    try {
      server =
          WorkerServer.start(options.socket(), device, () -> exit.complete(EXIT_OUT_OF_MEMORY));
    } catch (IOException e) {
      System.err.println("rigmesh worker: " + e.getMessage());
      return EXIT_FAULT;
    }
    try {
      Thread.ofPlatform().name("parent").daemon().start(() -> awaitEndOfInput(exit));
      parent.println(WorkerProcess.READY);
      parent.flush();
      return exit.join();
    } finally {
      server.close();
    }
  }

  private static void awaitEndOfInput(CompletableFuture<Integer> exit) {
    byte[] ignored = new byte[64];
    try {
      while (System.in.read(ignored) >= 0) {
        // The parent says nothing here; it only holds the pipe open.
      }
      exit.complete(EXIT_DONE);
    } catch (IOException e) {
      // A broken pipe is a gone parent, too.
      exit.complete(EXIT_DONE);
    }
  }
}
