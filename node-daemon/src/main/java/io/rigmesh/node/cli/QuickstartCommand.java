package io.rigmesh.node.cli;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.node.quickstart.Quickstart;
import io.rigmesh.node.quickstart.QuickstartException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The main job on this machine; scripts/quickstart.sh prepares what it needs and runs it.
@Command(
    name = "quickstart",
    hidden = true,
    description = "Run the main job from end to end on this machine; see scripts/quickstart.sh.")
final class QuickstartCommand implements Callable<Integer> {
  @Option(names = "--work", required = true, paramLabel = "DIR", description = "An empty folder.")
  private Path work = Path.of("");

  @Option(names = "--text", required = true, paramLabel = "PATH", description = "Text to train on.")
  private Path text = Path.of("");

  @Option(
      names = "--mini-lm",
      required = true,
      paramLabel = "DIR",
      description = "A model folder of all-MiniLM-L6-v2.")
  private Path miniLm = Path.of("");

  @Option(names = "--json", paramLabel = "OUT", description = "Also write the results as JSON.")
  private @Nullable Path json;

  @Option(names = "--keep", description = "Leave everything running until interrupted.")
  private boolean keep;

  @Option(names = "--port", paramLabel = "N", description = "The first of five free ports.")
  private int port = 7070;

  @Override
  public Integer call() throws InterruptedException {
    Path root = Path.of(System.getProperty("rigmesh.root", "."));
    TextSource source = TextSource.of(text, 64L << 20);
    Console console = Console.ofProcess();
    CountDownLatch ended = new CountDownLatch(1);
    try {
      Quickstart quickstart =
          new Quickstart(
              new Quickstart.Options(
                  work.toAbsolutePath(),
                  source.text().toAbsolutePath(),
                  miniLm.toAbsolutePath(),
                  AnvilBinary.find(root),
                  root.resolve("bin").resolve("rigmesh"),
                  port,
                  name -> new ProgressBar(console, name)),
              System.out);
      // Interrupted or not, nothing is left running.
      Thread hook = new Thread(quickstart::close, "quickstart-stop");
      Runtime.getRuntime().addShutdownHook(hook);
      try (quickstart) {
        quickstart.run(Optional.ofNullable(json));
        if (keep) {
          System.out.println("everything stays up until interrupted (Ctrl-C)");
          ended.await();
        }
      }
      return 0;
    } catch (QuickstartException | LedgerException e) {
      throw CliException.retry(String.valueOf(e.getMessage()), e);
    } finally {
      source.discard();
    }
  }
}
