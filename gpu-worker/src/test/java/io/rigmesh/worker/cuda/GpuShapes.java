package io.rigmesh.worker.cuda;

import io.rigmesh.worker.llama.LlamaConfig;
import java.util.List;
import java.util.OptionalInt;

/// Shapes of models that people run, without their weights.
final class GpuShapes {
  private GpuShapes() {}

  /// Llama-3.2-1B.
  static final LlamaConfig LLAMA_1B =
      new LlamaConfig(
          128_256,
          2_048,
          16,
          32,
          8,
          64,
          8_192,
          131_072,
          500_000,
          1e-5f,
          true,
          OptionalInt.empty(),
          List.of());

  /// Llama-3.1-8B.
  static final LlamaConfig LLAMA_8B =
      new LlamaConfig(
          128_256,
          4_096,
          32,
          32,
          8,
          128,
          14_336,
          131_072,
          500_000,
          1e-5f,
          false,
          OptionalInt.empty(),
          List.of());
}
