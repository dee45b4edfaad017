package io.rigmesh.worker.process;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.task.ModelShelf;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Listens on a Unix domain socket in a folder that only this user can enter, and serves one device
/// there. The socket is the JDK's own, which needs no native library.
final class WorkerServer implements AutoCloseable {
  /// What the system's socket addresses hold, but for the final zero.
  private static final int SOCKET_PATH_BYTES_MAX = 107;

  private final Server server;
  private final EventLoopGroup loop;
  private final ExecutorService calls;
  private final WorkerService service;

  private WorkerServer(
      Server server, EventLoopGroup loop, ExecutorService calls, WorkerService service) {
    this.server = server;
    this.loop = loop;
    this.calls = calls;
    this.service = service;
  }

  /// Starts listening.
  ///
  /// @param device what computes; closed with the server
  /// @param outOfMemory told, once the job's last event is sent, that a job ran out of memory
  /// @throws IOException if the socket cannot be made, saying why
  static WorkerServer start(Path socketPath, ComputeDevice device, Runnable outOfMemory)
      throws IOException {
    Path socket = socketPath.toAbsolutePath();
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > SOCKET_PATH_BYTES_MAX) {
      throw new IOException(
          "the socket path %s has %d bytes, and systems take at most %d; choose a shorter home"
              .formatted(socket, length, SOCKET_PATH_BYTES_MAX));
    }
    Path folder = socket.resolveSibling("");
    Files.createDirectories(folder);
    if (Files.getPosixFilePermissions(folder).contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(
          "everyone can write into %s, so a socket there could be anyone's; give it a folder of its own"
              .formatted(folder));
    }
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    // What an earlier process left, which was killed.
    Files.deleteIfExists(socket);

    EventLoopGroup loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("worker-socket", true), NioIoHandler.newFactory());
    ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
    WorkerService service = new WorkerService(device, ModelShelf.on(device), outOfMemory);
    Server server =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .executor(calls)
            .maxInboundMessageSize(WireLimits.REQUEST_BYTES_MAX)
            .addService(service)
            .build();
    WorkerServer worker = new WorkerServer(server, loop, calls, service);
    try {
      server.start();
    } catch (IOException e) {
      worker.close();
      throw new IOException("cannot listen on " + socket + ": " + e.getMessage(), e);
    }
    return worker;
  }

  /// Cancels the running job, if any, and stops listening.
  @Override
  public void close() {
    service.close();
    server.shutdown();
    try {
      if (!server.awaitTermination(2, SECONDS)) {
        server.shutdownNow();
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    calls.shutdownNow();
    loop.shutdownGracefully(0, 1, SECONDS).awaitUninterruptibly(2, SECONDS);
  }
}
