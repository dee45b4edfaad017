package io.rigmesh.node.cli;

import io.rigmesh.node.Daemon;
import io.rigmesh.node.Node;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.EffectiveConfig;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.log.LogSetup;
import io.rigmesh.node.metrics.NodeMetrics;
import io.rigmesh.node.rest.BearerToken;
import io.rigmesh.node.rest.RestServer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Runs the node until it is told to stop.
@Command(
    name = "up",
    description = {
      "Run the node until it is interrupted. What is missing in its home (key, password, token) is"
          + " made on the first start."
    })
final class UpCommand implements Callable<Integer> {
  @Mixin private NodeOptions options;

  @Override
  public Integer call() throws InterruptedException {
    EffectiveConfig effective = options.effective();
    NodeConfig config = effective.config();
    LogSetup.apply(config.log());
    Thread.setDefaultUncaughtExceptionHandler((thread, e) ->
        LoggerFactory.getLogger(UpCommand.class).error("{} died", thread.getName(), e));
    Daemon daemon = Daemon.open(effective, List.of(UpCommand::rest));
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  daemon.close();
                  stopped.countDown();
                },
                "shutdown"));
    daemon.start();
    stopped.await();
    return ExitCode.OK;
  }

  private static Service rest(Node node) {
    NodeConfig config = node.config();
    return new RestServer(
        config.rest(),
        node,
        new NodeMetrics(node, Version.text()),
        BearerToken.read(config.rest().tokenFile()));
  }
}
