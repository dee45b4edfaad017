package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.StepRunner;

/// Loads a decoder-only model whose hidden states, and nothing else, will be asked for. Where it
/// runs changes no bit.
@FunctionalInterface
public interface DecoderLoader {
  /// @param weights what is loaded; it can be closed afterwards
  /// @param pages of keys and values
  /// @param rows the most rows of a step, all of which may want a result
  StepRunner load(LlamaWeights weights, Profile profile, int pages, int rows);

  /// Loads models into the heap.
  ///
  /// @param kernels what computes; it stays the caller's to close
  static DecoderLoader onCpu(Kernels kernels) {
    return (weights, profile, pages, rows) -> {
      LlamaConfig config = weights.config();
      long bytes = KeyValuePages.bytes(config.layers(), config.headLayout(), pages);
      long memory = Runtime.getRuntime().maxMemory();
      if (bytes > memory / 2) {
        throw new IllegalStateException(
            "Texts of %d tokens need %d MiB for keys and values, more than half of the %d MiB heap; give it more, or a smaller max_seq_length in sentence_bert_config.json."
                .formatted(pages * KeyValuePages.PAGE, bytes >> 20, memory >> 20));
      }
      return new CpuStepRunner(
          kernels, weights, profile, new CpuStepRunner.Sizes(pages, rows, rows));
    };
  }
}
