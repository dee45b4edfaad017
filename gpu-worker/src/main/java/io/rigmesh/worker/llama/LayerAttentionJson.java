package io.rigmesh.worker.llama;

import io.rigmesh.worker.format.JsonField;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Reads which layers of a model see only a window of positions, and which rotate none: the rules
/// of transformers' config classes, family by family.
final class LayerAttentionJson {
  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";
  private static final int WINDOW_USUAL = 4096;
  private static final int WINDOW_LAYERS_USUAL = 28;
  private static final int ROTARY_INTERVAL_USUAL = 4;

  private LayerAttentionJson() {}

  /// One entry a layer. A window that is no shorter than the longest sequence is none.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException when a field is out of range, or a list
  ///   does not have an entry for every layer
  static List<LayerAttention> read(
      ModelFamily family, JsonField root, int layers, int positionsMax) {
    List<Boolean> rotary = Collections.nCopies(layers, true);
    List<OptionalInt> windows =
        switch (family) {
          case LLAMA -> uniform(root, layers, OptionalInt.empty());
          case MISTRAL -> uniform(root, layers, mistralWindow(root));
          case QWEN2, QWEN3 -> {
            int first =
                root.find("max_window_layers")
                    .map(field -> field.integer(0, LlamaConfig.LAYERS_MAX))
                    .orElse(WINDOW_LAYERS_USUAL);
            List<Boolean> sliding = new ArrayList<>();
            for (int layer = 0; layer < layers; layer++) {
              sliding.add(layer >= first);
            }
            yield byLayer(root, flaggedWindow(root, OptionalInt.of(WINDOW_USUAL)), sliding);
          }
          case SMOLLM3 -> {
            rotary = rotaryLayers(root, layers);
            yield byLayer(
                root,
                flaggedWindow(root, OptionalInt.empty()),
                rotary.stream().map(turns -> !turns).toList());
          }
        };
    List<LayerAttention> attention = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      OptionalInt window = windows.get(layer);
      boolean seesAll = window.isEmpty() || window.getAsInt() >= positionsMax;
      attention.add(new LayerAttention(rotary.get(layer), seesAll ? OptionalInt.empty() : window));
    }
    return attention;
  }

  /// Mistral's window is in every layer; null means none, and a missing field the usual one.
  private static OptionalInt mistralWindow(JsonField root) {
    if (!root.members().containsKey("sliding_window")) {
      return OptionalInt.of(WINDOW_USUAL);
    }
    return window(root);
  }

  /// The window of the families that have to say that they use it.
  private static OptionalInt flaggedWindow(JsonField root, OptionalInt usual) {
    if (!root.find("use_sliding_window").map(JsonField::flag).orElse(false)) {
      return OptionalInt.empty();
    }
    return root.members().containsKey("sliding_window") ? window(root) : usual;
  }

  private static OptionalInt window(JsonField root) {
    Optional<JsonField> field = root.find("sliding_window");
    return field.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(field.get().integer(1, Integer.MAX_VALUE));
  }

  /// Families whose layers are all alike; a `layer_types` that says otherwise is refused.
  private static List<OptionalInt> uniform(JsonField root, int layers, OptionalInt window) {
    String wanted = window.isPresent() ? SLIDING : FULL;
    root.find("layer_types")
        .ifPresent(field -> field.items().forEach(item -> item.text(List.of(wanted))));
    return Collections.nCopies(layers, window);
  }

  private static List<OptionalInt> byLayer(
      JsonField root, OptionalInt window, List<Boolean> slidingUsually) {
    Optional<JsonField> types = root.find("layer_types");
    List<Boolean> sliding =
        types.isEmpty()
            ? slidingUsually
            : oneEach(types.get(), slidingUsually.size()).stream()
                .map(item -> item.text(List.of(FULL, SLIDING)).equals(SLIDING))
                .toList();
    return sliding.stream().map(slides -> slides ? window : OptionalInt.empty()).toList();
  }

  private static List<Boolean> rotaryLayers(JsonField root, int layers) {
    Optional<JsonField> list = root.find("no_rope_layers");
    if (list.isPresent()) {
      // Despite its name, 1 stands for a layer that rotates.
      return oneEach(list.get(), layers).stream().map(item -> item.integer(0, 1) == 1).toList();
    }
    int interval =
        root.find("no_rope_layer_interval")
            .map(field -> field.integer(1, LlamaConfig.LAYERS_MAX))
            .orElse(ROTARY_INTERVAL_USUAL);
    List<Boolean> rotary = new ArrayList<>();
    for (int layer = 1; layer <= layers; layer++) {
      rotary.add(layer % interval != 0);
    }
    return rotary;
  }

  private static List<JsonField> oneEach(JsonField field, int layers) {
    List<JsonField> items = field.items();
    if (items.size() != layers) {
      throw field.unfit(
          "has " + items.size() + " entries, must have one for each of the " + layers + " layers");
    }
    return items;
  }
}
