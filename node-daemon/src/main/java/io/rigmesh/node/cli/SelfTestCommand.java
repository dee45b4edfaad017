package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.node.provider.MeasuredDevices;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.CudaTestedDevice;
import io.rigmesh.worker.device.CpuTestedDevice;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.selftest.Challenge;
import io.rigmesh.worker.selftest.SelfTest;
import io.rigmesh.worker.selftest.SelfTestAnswer;
import io.rigmesh.worker.selftest.SelfTestQuestion;
import io.rigmesh.worker.selftest.SelfTestReport;
import io.rigmesh.worker.selftest.SelfTestVerifier;
import io.rigmesh.worker.selftest.TestedDevice;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Measures a device by seeded work, checks its answers as a verifier would, and keeps what it
/// reached for this node's offers; asks no daemon.
@Command(
    name = "self-test",
    description = {
      "Measure a device and check its answers.",
      "What it reaches is kept in the node's folder, and this node's offers carry it."
    })
final class SelfTestCommand implements Callable<Integer> {
  private static final long MEBIBYTE = 1 << 20;
  private static final int SAMPLED_WORDS = 4096;
  private static final int SAMPLED_ELEMENTS = 256;
  private static final int PASSES = 5;

  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Option(
      names = "--device",
      paramLabel = "ID",
      defaultValue = "cpu",
      description = "The device, as rigmesh devices lists it (default: ${DEFAULT-VALUE}).")
  private String device = "cpu";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "How many threads compute on the CPU (default: all).")
  private @Nullable Integer threads;

  @Option(
      names = "--memory-mebibytes",
      paramLabel = "N",
      description =
          "How much memory is filled (default: 256 on the CPU, on a GPU half of what is free, whose copies take the other).")
  private @Nullable Integer memoryMebibytes;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    SecureRandom random = new SecureRandom();
    SelfTestReport report;
    double checkSeconds;
    TestedDevice tested = open();
    try (SelfTest test = new SelfTest(tested, challenge(random.nextLong(), tested))) {
      report = test.run();
      SelfTestQuestion question =
          new SelfTestQuestion(random.nextLong(), SAMPLED_WORDS, SAMPLED_ELEMENTS);
      SelfTestAnswer answer = test.answer(question);
      long start = System.nanoTime();
      SelfTestVerifier.check(report, question, answer);
      checkSeconds = (System.nanoTime() - start) / 1e9;
    }
    new MeasuredDevices(node.settings().measuredFile()).keep(device, report, Instant.now());
    if (output.json()) {
      console.print(json(report, checkSeconds));
    } else {
      console.table(table(report, checkSeconds));
    }
    return ExitCode.OK;
  }

  private boolean onCpu() {
    return device.equals("cpu");
  }

  private Challenge challenge(long seed, TestedDevice tested) {
    Integer asked = memoryMebibytes;
    long bytes = asked != null ? asked * MEBIBYTE : tested.fillableBytes();
    return onCpu()
        ? new Challenge(seed, bytes, PASSES, 512, 2048, 1024, 4)
        : new Challenge(seed, bytes, PASSES, 2048, 8192, 8192, 4);
  }

  private TestedDevice open() {
    if (onCpu()) {
      Integer asked = threads;
      return new CpuTestedDevice(
          asked != null ? asked : Runtime.getRuntime().availableProcessors());
    }
    return new CudaTestedDevice(Devices.openAccelerator(device));
  }

  private static List<List<String>> table(SelfTestReport report, double checkSeconds) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("WHAT", "MEASURED"));
    rows.add(List.of("device", report.device()));
    rows.add(
        List.of(
            "memory",
            "%d MiB in all, %d MiB filled and asked for"
                .formatted(
                    report.memoryTotalBytes() / MEBIBYTE,
                    report.challenge().memoryBytes() / MEBIBYTE)));
    rows.add(List.of("memory speed", number("%.2f GB/s", report.bytesPerSecond() / 1e9)));
    for (Profile profile : Profile.values()) {
      rows.add(
          List.of(
              "products in " + profile,
              number(
                  profile == Profile.I8_V1 ? "%.3f TOP/s" : "%.3f TFLOP/s",
                  report.operationsPerSecond(profile) / 1e12)));
    }
    rows.add(List.of("check of the answers", number("%.3f s: all right", checkSeconds)));
    return rows;
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private ObjectNode json(SelfTestReport report, double checkSeconds) {
    ObjectNode json =
        JsonNodeFactory.instance
            .objectNode()
            .put("id", device)
            .put("name", report.device())
            .put("memoryBytes", Long.toString(report.memoryTotalBytes()))
            .put("memoryFilledBytes", Long.toString(report.challenge().memoryBytes()))
            .put("megabytesPerSecond", Long.toString((long) (report.bytesPerSecond() / 1e6)))
            .put("checkSeconds", checkSeconds);
    ObjectNode flops = json.putObject("megaflopsPerSecond");
    for (Profile profile : Profile.values()) {
      flops.put(profile.id(), Long.toString((long) (report.operationsPerSecond(profile) / 1e6)));
    }
    return json;
  }
}
