package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.StepRunner;

/// Loads models whose hidden states, and nothing else, will be asked for. Where they run changes no
/// bit.
public interface EncoderLoader {
  /// Loads a decoder of the Llama family.
  ///
  /// @param weights what is loaded; it can be closed afterwards
  /// @param pages of keys and values
  /// @param rows the most rows of a step, all of which may want a result
  StepRunner decoder(LlamaWeights weights, Profile profile, int pages, int rows);

  /// Loads a BERT encoder, with as many tokens in a pass as keep what computes busy.
  ///
  /// @param weights what is loaded; it can be closed afterwards
  /// @param tokensMax the longest sequence
  BertRunner bert(BertWeights weights, Profile profile, int tokensMax);

  /// Loads models into the heap.
  ///
  /// @param kernels what computes; it stays the caller's to close
  static EncoderLoader onCpu(Kernels kernels) {
    return new OnCpu(kernels);
  }

  /// The loader of the heap.
  record OnCpu(Kernels kernels) implements EncoderLoader {
    /// Tokens of one pass of BERT: enough to keep the matrix product busy, few enough for the
    /// activations to stay in the cache.
    private static final int PASS_TOKENS = 512;

    @Override
    public StepRunner decoder(LlamaWeights weights, Profile profile, int pages, int rows) {
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
    }

    @Override
    public BertRunner bert(BertWeights weights, Profile profile, int tokensMax) {
      return new CpuBertRunner(weights, kernels, profile, Math.max(PASS_TOKENS, tokensMax));
    }
  }
}
