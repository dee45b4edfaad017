package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.conformance.BertSuite;
import io.rigmesh.worker.conformance.Outcome;
import io.rigmesh.worker.conformance.StepSuite;
import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.embed.Embedder;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.embed.OnnxRuntimeEncoder;
import io.rigmesh.worker.embed.VariedSentences;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// BERT on the machine's own GPU; skipped where there is none.
@Tag("gpu")
final class CudaBertRunnerGpuTest extends BertRunnerContract {
  private static final double COSINE_MIN = 0.999999;

  @BeforeEach
  void aGpuIsAtHand() {
    assumeTrue(
        Devices.list().stream().anyMatch(device -> device.id().equals("cuda:0")),
        "no CUDA device is at hand");
  }

  /// The kernels of other architectures are chosen, too: newer devices run older PTX.
  @Override
  Accelerator open(Architecture architecture) {
    return new AccelerationAs(Devices.openAccelerator("cuda:0"), architecture);
  }

  @Test
  void theConformanceSuitePassesInEveryCompany() {
    List<Outcome> outcomes = new ArrayList<>();
    try (Accelerator device = Devices.openAccelerator("cuda:0")) {
      BertSuite.load()
          .run(
              (weights, profile) ->
                  new CudaBertRunner(
                      device, weights, profile, BertSuite.ROWS_MAX, (bytes, bytesTotal) -> {}),
              StepSuite.Extent.FULL,
              outcomes::add);
    }
    assertThat(outcomes.stream().filter(outcome -> outcome.problem().isPresent())).isEmpty();
    assertThat(outcomes).hasSizeGreaterThan(80);
  }

  @Test
  void theRealMiniLmGivesTheBitsOfTheCpuAndTheVectorsOfOnnxRuntime() throws Exception {
    assumeTrue(
        CudaBertRunnerGpuTest.class.getResource("/all-minilm-l6-v2.onnx") != null,
        "the model is not on this class path");
    List<String> sentences = VariedSentences.hundred();
    try (ComputeDevice device = ComputeDevice.open("cuda:0", 1);
        OnnxRuntimeEncoder peer = new OnnxRuntimeEncoder(MiniLm.onnx(), 1)) {
      for (Profile profile : Profile.values()) {
        try (Embedder cpu = Embedder.open(MiniLm.folder(), host, profile);
            Embedder gpu =
                Embedder.open(MiniLm.folder(), device.host(), profile, device.encoders())) {
          List<float[]> expected = cpu.embed(sentences);
          List<float[]> vectors = gpu.embed(sentences);
          List<float[]> theirs = peer.embed(sentences.stream().map(cpu::tokens).toList());
          for (int i = 0; i < sentences.size(); i++) {
            assertThat(vectors.get(i)).as("sentence %d", i).isEqualTo(expected.get(i));
            if (profile == Profile.F32_V1) {
              assertThat(dot(vectors.get(i), theirs.get(i)))
                  .as("cosine of sentence %d", i)
                  .isGreaterThan(COSINE_MIN);
            }
          }
        }
      }
    }
  }

  /// Of vectors of length one, their cosine.
  private static double dot(float[] a, float[] b) {
    double dot = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
    }
    return dot;
  }
}
