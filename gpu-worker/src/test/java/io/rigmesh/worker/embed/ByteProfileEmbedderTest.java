package io.rigmesh.worker.embed;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Embedding in profile i8-v1 beside ONNX Runtime's dynamically quantised form of the same model,
/// whose scale for activations spans a whole batch.
class ByteProfileEmbedderTest {
  private static final List<String> SENTENCES = VariedSentences.prose(8);

  @Test
  void aSentenceHasTheSameBitsAloneAndInABatchOfEightWhereOnnxRuntimesHasNot() {
    try (Kernels kernels = new VectorKernels(2);
        Embedder embedder = Embedder.open(MiniLm.folder(), kernels, Profile.I8_V1);
        OnnxRuntimeEncoder exact = new OnnxRuntimeEncoder(MiniLm.onnx(), 2);
        OnnxRuntimeEncoder quantised = new OnnxRuntimeEncoder(QuantisedOnnx.of(MiniLm.onnx()), 2)) {
      List<int[]> tokens = SENTENCES.stream().map(embedder::tokens).toList();
      List<float[]> batch = embedder.embedTokens(tokens);
      List<float[]> theirBatch = quantised.embed(tokens);
      int theirDifferences = 0;
      for (int i = 0; i < tokens.size(); i++) {
        List<int[]> alone = List.of(tokens.get(i));
        assertThat(embedder.embedTokens(alone).getFirst()).isEqualTo(batch.get(i));
        float[] f32 = exact.embed(alone).getFirst();
        float[] theirs = quantised.embed(alone).getFirst();
        assertThat(dot(batch.get(i), f32)).as("cosine to fp32").isGreaterThan(0.98);
        assertThat(dot(theirs, f32)).as("cosine of the peer's to fp32").isGreaterThan(0.9);
        theirDifferences += java.util.Arrays.equals(theirs, theirBatch.get(i)) ? 0 : 1;
      }
      assertThat(theirDifferences).isPositive();
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
