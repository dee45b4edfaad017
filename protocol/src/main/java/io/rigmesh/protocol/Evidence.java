package io.rigmesh.protocol;

import java.util.List;

/// What a provider hands over beside a receipt so that others can recompute any part of the work:
/// the links of the commitment chain, and what each step claims.
public sealed interface Evidence {
  /// The links of the commitment chain, in order.
  List<Hash> links();

  /// Of a generation.
  ///
  /// @param promptTokens the prompt's token ids
  /// @param tokens the generated token ids
  /// @param links one link per generated token
  record Generation(List<Integer> promptTokens, List<Integer> tokens, List<Hash> links)
      implements Evidence {
    /// Copies the lists.
    public Generation {
      promptTokens = List.copyOf(promptTokens);
      tokens = List.copyOf(tokens);
      links = List.copyOf(links);
    }
  }

  /// Of an embedding; the vectors are in the output folder.
  ///
  /// @param links one link per sentence
  record Embedding(List<Hash> links) implements Evidence {
    /// Copies the list.
    public Embedding {
      links = List.copyOf(links);
    }
  }

  /// Of a training; the checkpoints are in the output folder.
  ///
  /// @param losses the loss of every step
  /// @param checkpoints the committed states, by step
  /// @param links one link per step
  record Training(List<Float> losses, List<Checkpoint> checkpoints, List<Hash> links)
      implements Evidence {
    /// Copies the lists.
    public Training {
      losses = List.copyOf(losses);
      checkpoints = List.copyOf(checkpoints);
      links = List.copyOf(links);
    }
  }

  /// A committed training state.
  ///
  /// @param step the step after which it was taken, 0 for the initial state
  /// @param state the Merkle root over the tiles of parameters and optimiser state
  record Checkpoint(long step, Hash state) {}
}
