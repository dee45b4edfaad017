package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.verify.Materials;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import io.rigmesh.worker.verify.Verifier;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Recomputes what a receipt claims, on this machine, asking nobody.
@Command(
    name = "verify",
    description = {
      "Check a receipt on this machine, asking nobody: signatures, roots and the commitment chain"
          + " whole, and as much of the work by recomputation as asked. Exits 0 only if all of it is"
          + " exact; otherwise it names the first step that differs.",
      "What is not named is looked for beside the receipt: input, output/ and model/, as"
          + " 'rigmesh job fetch' lays them out."
    })
final class VerifyCommand implements Callable<Integer> {
  private static final int RECEIPT_BYTES_MAX = 256 << 20;

  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "RECEIPT", description = "A receipt.json.")
  private Path receipt;

  @Option(names = "--model", paramLabel = "DIR", description = "The folder of the job's model.")
  private @Nullable Path model;

  @Option(names = "--input", paramLabel = "FILE", description = "The job's input.")
  private @Nullable Path input;

  @Option(names = "--output", paramLabel = "DIR", description = "What the provider delivered.")
  private @Nullable Path delivered;

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "How many randomly chosen parts to recompute: segments of a training between checkpoints,"
              + " tokens or sentences (default: ${DEFAULT-VALUE}).")
  private int samples;

  @Option(names = "--all", description = "Recompute everything.")
  private boolean all;

  @Option(
      names = "--device",
      paramLabel = "ID",
      defaultValue = "cpu",
      description =
          "What recomputes, with the same bits whatever made them: see 'rigmesh devices'"
              + " (default: ${DEFAULT-VALUE}). Trainings are recomputed on the processor.")
  private String device;

  @Option(names = "--threads", paramLabel = "N", description = "Default: one per processor.")
  private @Nullable Integer threads;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    ReceiptFile file = ProtocolJson.readReceiptFile(read(receipt));
    Path folder = receipt.toAbsolutePath().getParent();
    Optional<Path> modelFolder =
        file.job().job().model().isZero()
            ? Optional.empty()
            : Optional.of(named(model, folder, "model", "--model"));
    Materials materials =
        new Materials(
            modelFolder,
            named(input, folder, "input", "--input"),
            named(delivered, folder, "output", "--output"));
    Samples chosen =
        all ? new Samples.All() : new Samples.Some(samples, new SecureRandom().nextLong());
    ProgressBar bar = new ProgressBar(console, "verify");
    Verdict verdict;
    try (ComputeDevice opened = ComputeDevice.open(device, threadCount());
        ModelShelf shelf = ModelShelf.on(opened)) {
      verdict =
          new Verifier(opened.host(), shelf)
              .verify(file, materials, chosen, p -> bar.show(p.step(), p.totalSteps(), ""));
    } finally {
      bar.end();
    }
    print(console, verdict);
    return verdict instanceof Verdict.Exact ? ExitCode.OK : ExitCode.HOPELESS;
  }

  private int threadCount() {
    return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
  }

  private void print(Console console, Verdict verdict) {
    if (!output.json()) {
      console.print(verdict.sentence());
      return;
    }
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    switch (verdict) {
      case Verdict.Exact e ->
          node.put("verdict", "exact")
              .put("stepsChecked", e.stepsChecked())
              .put("stepsTotal", e.stepsTotal());
      case Verdict.Differs d -> node.put("verdict", "differs").put("firstStep", d.firstStep());
      case Verdict.Invalid _ -> node.put("verdict", "invalid");
    }
    console.print(node.put("sentence", verdict.sentence()));
  }

  private static Path named(
      @Nullable Path given, @Nullable Path folder, String name, String option) {
    if (given != null) {
      return given;
    }
    Path beside = folder == null ? Path.of(name) : folder.resolve(name);
    if (!Files.exists(beside)) {
      throw CliException.hopeless(
          "this receipt is checked against its "
              + name
              + ": there is no "
              + beside
              + "; name it"
              + " with "
              + option);
    }
    return beside;
  }

  private static byte[] read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(RECEIPT_BYTES_MAX + 1);
      if (bytes.length > RECEIPT_BYTES_MAX) {
        throw CliException.hopeless(
            file + " has more than " + RECEIPT_BYTES_MAX + " bytes; is it a receipt?");
      }
      return bytes;
    } catch (IOException e) {
      throw CliException.hopeless("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
