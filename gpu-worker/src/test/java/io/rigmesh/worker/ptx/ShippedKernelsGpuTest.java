package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rigmesh.worker.cuda.Accelerator;
import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.PtxManifest;
import io.rigmesh.worker.device.Devices;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The checks of [ShippedKernelsTest] on the machine's own GPU: every shipped kernel that it can
/// run gives the bits of the scalar reference there; skipped where there is none. What differs only
/// now and then is a race, so each runs on several draws of numbers.
@Tag("gpu")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ShippedKernelsGpuTest {
  private static final int REGION_BYTES = 256 << 20;
  private static final int DRAWS = 3;

  /// The device and what runs stages on it; empty until it was found.
  private List<AutoCloseable> opened = List.of();

  @BeforeAll
  void aGpuIsAtHand() {
    assumeTrue(
        Devices.list().stream().anyMatch(device -> device.id().equals("cuda:0")),
        "no CUDA device is at hand");
    Accelerator device = Devices.openAccelerator("cuda:0");
    opened = List.of(new StageAccelerator(device, REGION_BYTES), device);
  }

  @AfterAll
  void giveBack() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  static Stream<String> kernels() {
    return KernelChecks.shipped();
  }

  static Stream<String> checkingKernels() {
    return KernelChecks.checking();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aKernelGivesTheBitsOfTheReference(String entry) {
    StageAccelerator stages = stages(entry);
    for (int draw = 0; draw < DRAWS; draw++) {
      KernelChecks.run(stages, entry, entry.length() + 1000L * draw);
    }
  }

  @ParameterizedTest
  @MethodSource("checkingKernels")
  void whatIsNotFiniteIsReportedAsByTheReference(String entry) {
    assertThat(KernelChecks.runNotFinite(stages(entry), entry)).isGreaterThan(3);
  }

  private StageAccelerator stages(String entry) {
    StageAccelerator stages = (StageAccelerator) opened.getFirst();
    String least = PtxManifest.load().moduleOf(entry).architecture();
    assumeTrue(
        runs(stages.architecture(), least), () -> "this device does not run kernels for " + least);
    return stages;
  }

  /// Whether a device runs PTX for such as `compute_80`, or `compute_90a`, which later devices do
  /// not run.
  static boolean runs(Architecture device, String least) {
    boolean alone = least.endsWith("a");
    int number = Integer.parseInt(least.replaceAll("[^0-9]", ""));
    return alone
        ? device.major() * 10 + device.minor() == number
        : device.runs(number / 10, number % 10);
  }
}
