package io.rigmesh.node.market;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.rigmesh.node.Daemon;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.EffectiveConfig;
import io.rigmesh.node.metrics.NodeMetrics;
import io.rigmesh.node.rest.BearerToken;
import io.rigmesh.node.rest.RestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;

/// A daemon with its REST interface, for a process that a test may kill. It says its port on
/// standard output.
final class NodeMain {
  private NodeMain() {}

  public static void main(String[] args) throws InterruptedException {
    ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.INFO);
    EffectiveConfig config =
        ConfigLoader.load(Path.of(args[0]), Optional.empty(), Map.of(), Map.of());
    RestServer[] rest = new RestServer[1];
    Daemon daemon =
        Daemon.open(
            config,
            List.of(node -> {
              rest[0] =
                  new RestServer(
                      node.config().rest(),
                      node,
                      new NodeMetrics(node, "test"),
                      token(node.config().rest().tokenFile()));
              return rest[0];
            }));
    Runtime.getRuntime().addShutdownHook(new Thread(daemon::close));
    daemon.start();
    System.out.println("port " + rest[0].port());
    new CountDownLatch(1).await();
  }

  private static BearerToken token(Path file) {
    try {
      return BearerToken.of(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
