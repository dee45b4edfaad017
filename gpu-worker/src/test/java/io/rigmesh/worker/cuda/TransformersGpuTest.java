package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits of a backend beside those of Hugging Face transformers in float64; skipped where there is
/// no GPU, or where scripts/gpu-check.sh found no transformers and said so.
///
/// `-Drigmesh.transformers.device=cpu` or `interpreted`, in place of `cuda:0`, proves the same of
/// the CPU and of the interpreted kernels, and the script itself, where there is no GPU.
@Tag("gpu")
final class TransformersGpuTest {
  private static final String DEVICE = System.getProperty("rigmesh.transformers.device", "cuda:0");
  private static final double RELATIVE_MAX = 1e-4;
  private static final int PAGES = 4;

  @TempDir static Path folder;

  @BeforeAll
  static void theOracleHasSpoken() throws IOException, InterruptedException {
    assumeTrue(
        !DEVICE.startsWith("cuda")
            || Devices.list().stream().anyMatch(device -> device.id().equals(DEVICE)),
        "no CUDA device is at hand");
    assumeTrue(
        !System.getProperty("rigmesh.transformers", "").isEmpty(),
        "no Python with transformers was named by -Drigmesh.transformers");
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(
                System.getProperty("rigmesh.transformers", ""),
                "src/test/python/transformers_oracle.py",
                "parity",
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(process.waitFor()).as(Files.readString(log)).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen2", "mistral"})
  void logitsAreThoseOfTransformers(String family) throws IOException {
    Path model = folder.resolve(family);
    ByteBuffer ids = read(model.resolve("tokens.bin"));
    int[] tokens = new int[ids.remaining() / Integer.BYTES];
    ids.asIntBuffer().get(tokens);
    try (LlamaWeights weights = LlamaWeights.open(model)) {
      Segment all = new Segment(0, tokens.length, 0, new int[] {2, 0, 3}, tokens.length);
      Tensor logits = logits(weights, new Step(tokens, List.of(all)));
      assertThat(difference(logits, read(model.resolve("logits.bin"))))
          .as("relative difference of the logits of %s", family)
          .isLessThan(RELATIVE_MAX);
    }
  }

  private static Tensor logits(LlamaWeights weights, Step step) {
    if (DEVICE.equals("cpu")) {
      try (Kernels kernels = Devices.open(DEVICE, 1);
          CpuStepRunner runner =
              new CpuStepRunner(
                  kernels,
                  weights,
                  Profile.F32_V1,
                  new CpuStepRunner.Sizes(PAGES, step.rows(), step.rows()))) {
        return runner.run(step).logits().copy();
      }
    }
    try (Accelerator device =
            DEVICE.equals("interpreted")
                ? new InterpretedAccelerator(Architecture.HOPPER)
                : Devices.openAccelerator(DEVICE);
        CudaStepRunner runner =
            new CudaStepRunner(
                device,
                weights,
                Profile.F32_V1,
                new CudaStepRunner.Sizes(PAGES, step.rows(), step.rows()),
                (bytes, bytesTotal) -> {})) {
      return runner.run(step).logits().copy();
    }
  }

  private static double difference(Tensor actual, ByteBuffer expected) {
    double squares = 0;
    double total = 0;
    for (int i = 0; i < actual.size(); i++) {
      double value = expected.getFloat(i * Float.BYTES);
      squares += (actual.get(i) - value) * (actual.get(i) - value);
      total += value * value;
    }
    return Math.sqrt(squares / total);
  }

  private static ByteBuffer read(Path file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
