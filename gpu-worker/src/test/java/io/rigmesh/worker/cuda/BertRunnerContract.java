package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.embed.BertRunner;
import io.rigmesh.worker.embed.CpuBertRunner;
import io.rigmesh.worker.embed.Pooling;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.kernels.vector.CpuBackend;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whole passes of small BERT encoders, as a device runs them, give the bits of the CPU.
abstract class BertRunnerContract {
  /// Three heads of ten numbers, widths that no tile divides.
  static final BertConfig CONFIG = new BertConfig(61, 30, 2, 3, 44, 90, 2, 1e-12f);

  /// One long head, which the wide tile serves.
  private static final BertConfig LONG_HEAD = new BertConfig(61, 72, 1, 1, 20, 90, 1, 1e-5f);

  static final int ROWS_MAX = 160;

  final Kernels host = CpuBackend.open(1);

  /// A device that chooses its kernels as one of this architecture does.
  abstract Accelerator open(Architecture architecture);

  @ParameterizedTest
  @CsvSource({"I8_V1, 9", "I8_V1, 7", "F32_V1, 9"})
  void aPassGivesTheBitsOfTheCpuInAnyCompany(Profile profile, int major) {
    int[] lengths = {5, 66, 1, 3, 2, 4, 2, 3};
    same(CONFIG, profile, new Architecture(major, 0, 4, 64 << 10), lengths);
  }

  @ParameterizedTest
  @CsvSource({"I8_V1", "F32_V1"})
  void aLongHeadGivesTheBitsOfTheCpu(Profile profile) {
    same(LONG_HEAD, profile, Architecture.HOPPER, 40, 2);
  }

  /// A batch, and then each of its sequences alone.
  private void same(BertConfig config, Profile profile, Architecture architecture, int... lengths) {
    try (BertWeights weights = weights(config);
        BertRunner cpu = new CpuBertRunner(weights, host, profile, ROWS_MAX);
        Accelerator device = open(architecture);
        BertRunner gpu =
            new CudaBertRunner(device, weights, profile, ROWS_MAX, (bytes, bytesTotal) -> {})) {
      int[] ids = tokens(Arrays.stream(lengths).sum(), config.vocabularySize());
      Tensor states = cpu.encode(ids, lengths).copy();
      assertBits("states of the batch", states, gpu.encode(ids, lengths));
      for (Pooling pooling : Pooling.values()) {
        boolean normalized = pooling == Pooling.CLS;
        assertBits(
            "pooled by " + pooling,
            cpu.pooled(ids, lengths, pooling, normalized),
            gpu.pooled(ids, lengths, pooling, normalized));
      }
      Tensor vectors = gpu.pooled(ids, lengths, Pooling.MEAN, true).copy();
      assertBits("vectors", cpu.pooled(ids, lengths, Pooling.MEAN, true), vectors);
      int row = 0;
      for (int i = 0; i < lengths.length; i++) {
        int[] alone = Arrays.copyOfRange(ids, row, row + lengths[i]);
        assertBits(
            "vector " + i + " alone",
            vectors.rows(i, i + 1),
            gpu.pooled(alone, new int[] {lengths[i]}, Pooling.MEAN, true));
        row += lengths[i];
      }
    }
  }

  static BertWeights weights(BertConfig config) {
    int[] stream = {0};
    return BertWeights.of(
        config,
        (name, shape) -> {
          Tensor tensor = Tensor.zeros(shape);
          float centre = name.toLowerCase(Locale.ROOT).endsWith("norm.weight") ? 1f : 0f;
          for (int i = 0; i < tensor.size(); i++) {
            tensor.set(i, centre + (Philox.uniform(3, stream[0], i) - 0.5f) * 0.6f);
          }
          stream[0]++;
          return tensor;
        });
  }

  static int[] tokens(int count, int vocabularySize) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = (int) (Philox.uniform(11, 5, i) * vocabularySize);
    }
    return tokens;
  }

  static void assertBits(String what, Tensor expected, Tensor actual) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    for (int i = 0; i < expected.size(); i++) {
      assertThat(Float.floatToRawIntBits(actual.get(i)))
          .as("%s, element %d: %s and %s", what, i, expected.get(i), actual.get(i))
          .isEqualTo(Float.floatToRawIntBits(expected.get(i)));
    }
  }
}
