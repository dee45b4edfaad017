package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.device.Device;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.embed.Pooling;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// all-MiniLM-L6-v2 on a GPU: what its passes must move and compute, and where a device is at hand,
/// how fast they are.
final class GpuEmbeddings {
  /// What BertConfig reads from the real model's config.json.
  private static final BertConfig MINI_LM =
      new BertConfig(30_522, 384, 6, 12, 1536, 512, 2, 1e-12f);

  /// Texts of a pass and tokens of each.
  private record Batch(int texts, int tokens) {
    static final List<Batch> ALL = List.of(new Batch(1, 32), new Batch(8, 32), new Batch(256, 32));

    BertShape shape() {
      return BertShape.of(
          texts * tokens,
          texts,
          texts * tokens,
          Optional.of(new BertShape.Pooled(Pooling.MEAN, true)));
    }

    String name() {
      return "%d x %d tokens".formatted(texts, tokens);
    }

    /// The linear layers' weights, which every pass reads.
    static long bytes(Profile profile) {
      long layer = 4L * MINI_LM.hiddenSize() * MINI_LM.hiddenSize();
      layer += 2L * MINI_LM.hiddenSize() * MINI_LM.intermediateSize();
      return layer * MINI_LM.layers() * (profile == Profile.I8_V1 ? 1 : Float.BYTES);
    }
  }

  private GpuEmbeddings() {}

  /// The plans of its passes.
  static Stream<LaunchPlan> plans(Profile profile, Architecture architecture) {
    return Batch.ALL.stream()
        .map(batch -> CudaBertRunner.plan(MINI_LM, profile, batch.shape(), architecture));
  }

  static void counted(Architecture architecture, GpuRates rates) {
    System.out.printf(
        "%n%-14s %-7s %-17s %8s %11s %11s %11s %12s%n",
        "model", "profile", "pass", "launches", "MB", "GOP int8", "GFLOP", "texts/s");
    for (Profile profile : Profile.values()) {
      for (Batch batch : Batch.ALL) {
        LaunchPlan plan = CudaBertRunner.plan(MINI_LM, profile, batch.shape(), architecture);
        System.out.printf(
            "%-14s %-7s %-17s %8d %11.1f %11.2f %11.2f %12.0f%n",
            "MiniLM-L6",
            profile.id(),
            batch.name(),
            plan.launches().size(),
            plan.bytes() / 1e6,
            plan.operations(Work.Unit.INT8) / 1e9,
            plan.operations(Work.Unit.FLOAT32) / 1e9,
            batch.texts() / rates.floor(plan, Batch.bytes(profile)));
      }
    }
  }

  /// Times passes of the model with random weights, the copying of its vectors included.
  static void measured(Device.Cuda device, GpuRates rates, GpuFigures figures) {
    for (Profile profile : Profile.values()) {
      try (Accelerator accelerator = Devices.openAccelerator(device.id());
          BertWeights weights = BertRunnerContract.weights(MINI_LM);
          CudaBertRunner runner =
              new CudaBertRunner(accelerator, weights, profile, 8192, (bytes, bytesTotal) -> {})) {
        for (Batch batch : Batch.ALL) {
          int[] ids = new int[batch.texts() * batch.tokens()];
          Arrays.setAll(ids, i -> (i * 7_919 + 13) % MINI_LM.vocabularySize());
          int[] lengths = new int[batch.texts()];
          Arrays.fill(lengths, batch.tokens());
          double seconds =
              GpuBenchmarks.seconds(() -> {
                if (runner.pooled(ids, lengths, Pooling.MEAN, true).rowCount() != batch.texts()) {
                  throw new AssertionError("a pass gave too few vectors");
                }
              });
          LaunchPlan plan =
              CudaBertRunner.plan(MINI_LM, profile, batch.shape(), accelerator.architecture());
          double least = rates.floor(plan, Batch.bytes(profile));
          figures.figure(
              "MiniLM-L6 %s %s".formatted(profile.id(), batch.name()),
              batch.texts() / seconds,
              "texts/s",
              "floor",
              batch.texts() / least,
              0);
        }
      }
    }
  }
}
