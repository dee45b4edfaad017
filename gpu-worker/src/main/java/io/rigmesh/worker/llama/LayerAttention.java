package io.rigmesh.worker.llama;

import java.util.OptionalInt;

/// What may differ between the layers of one model.
///
/// @param rotary whether queries and keys are rotated by their positions; a layer without sees the
///   order of the tokens only through the layers before it (no_rope_layers)
/// @param window how many positions a query sees, its own and those just before it; empty for all
///   (sliding_window, layer_types)
public record LayerAttention(boolean rotary, OptionalInt window) {
  /// Rotary attention to every position so far.
  public static final LayerAttention FULL = new LayerAttention(true, OptionalInt.empty());

  /// Refuses windows that see nothing.
  public LayerAttention {
    if (window.isPresent() && window.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "Model config: sliding_window=" + window.getAsInt() + " must be at least 1.");
    }
  }
}
