package io.rigmesh.node.workers;

import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.worker.process.WorkerLaunch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// How this node starts worker processes: with its own Java and classes, and sockets in its home.
public final class WorkerLaunches {
  /// A Unix socket's path has at most 107 bytes.
  private static final int SOCKET_BYTES_MAX = 100;

  private final NodeConfig config;

  /// The launches of a node.
  public WorkerLaunches(NodeConfig config) {
    this.config = config;
  }

  /// A worker for a device.
  ///
  /// @param name names its socket; no two workers that run at once share one
  public WorkerLaunch of(String device, String name) {
    int threads = config.workers().threads();
    return WorkerLaunch.likeThisProcess(
            socket(name),
            device,
            threads == 0 ? Runtime.getRuntime().availableProcessors() : threads,
            (long) config.workers().heapMebibytesMax() << 20,
            config.workersFolder())
        .withNativeCode(config.workers().nativeCode());
  }

  private Path socket(String name) {
    Path socket = config.workersFolder().resolve(name + ".sock");
    if (socket.toString().getBytes(StandardCharsets.UTF_8).length <= SOCKET_BYTES_MAX) {
      return socket;
    }
    try {
      // Made with mode 0700, so nobody else can reach the socket there either.
      return Files.createTempDirectory("rigmesh").resolve(name + ".sock");
    } catch (IOException e) {
      throw new UncheckedIOException("no folder for the socket of worker " + name, e);
    }
  }
}
