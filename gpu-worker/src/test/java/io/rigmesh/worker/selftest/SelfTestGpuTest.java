package io.rigmesh.worker.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.CudaTestedDevice;
import io.rigmesh.worker.device.Devices;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The self-test as `rigmesh self-test --device cuda:0` does it, on the machine's own GPU; skipped
/// where there is none.
@Tag("gpu")
final class SelfTestGpuTest {
  private static final SelfTestQuestion QUESTION = new SelfTestQuestion(11, 4096, 256);

  @Test
  void allFreeMemoryIsFilledAndEveryAnswerIsRight() {
    assumeTrue(
        Devices.list().stream().anyMatch(device -> device.id().equals("cuda:0")),
        "no CUDA device is at hand");
    CudaTestedDevice device = new CudaTestedDevice(Devices.openAccelerator("cuda:0"));
    Challenge challenge = new Challenge(29, device.fillableBytes(), 5, 2048, 8192, 8192, 4);
    try (SelfTest test = new SelfTest(device, challenge)) {
      SelfTestReport report = test.run();
      assertThat(report.passBytes()).isEqualTo(2 * challenge.memoryBytes());
      SelfTestAnswer answer = test.answer(QUESTION);
      assertThatCode(() -> SelfTestVerifier.check(report, QUESTION, answer))
          .doesNotThrowAnyException();
      System.out.printf(
          "self-test: %d MiB, %.0f GB/s, %.1f TFLOP/s in f32-v1, %.1f TOP/s in i8-v1%n",
          challenge.memoryBytes() >> 20,
          report.bytesPerSecond() / 1e9,
          report.operationsPerSecond(Profile.F32_V1) / 1e12,
          report.operationsPerSecond(Profile.I8_V1) / 1e12);
    }
  }
}
