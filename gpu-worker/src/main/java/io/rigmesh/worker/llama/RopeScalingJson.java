package io.rigmesh.worker.llama;

import io.rigmesh.worker.format.JsonField;
import java.util.List;
import java.util.Optional;

/// Reads what a config.json says on rotary positions: `rope_theta` and `rope_scaling`, or
/// `rope_parameters`, which newer versions of transformers write for both.
final class RopeScalingJson {
  private static final List<String> TYPES = List.of("default", "linear", "llama3", "yarn");
  private static final double NUMBER_MAX = 1e6;

  private RopeScalingJson() {}

  /// The base of the frequencies.
  static double theta(JsonField root, double usual) {
    return root.find("rope_theta")
        .or(() -> root.find("rope_parameters").flatMap(rope -> rope.find("rope_theta")))
        .or(() -> root.find("rope_scaling").flatMap(rope -> rope.find("rope_theta")))
        .map(field -> field.number(1.0, 1e12))
        .orElse(usual);
  }

  /// The scaling, with the defaults of transformers.
  ///
  /// @param positionsMax the model's `max_position_embeddings`
  /// @throws io.rigmesh.worker.format.ModelFormatException when it is of a kind that this engine
  ///   does not compute, or a number of it is missing or out of range
  static RopeScaling read(JsonField root, int positionsMax) {
    refusePartial(root);
    Optional<JsonField> found = root.find("rope_scaling").or(() -> root.find("rope_parameters"));
    if (found.isEmpty()) {
      return new RopeScaling.None();
    }
    JsonField rope = found.get();
    refusePartial(rope);
    for (String layerType : List.of("full_attention", "sliding_attention")) {
      rope.find(layerType)
          .ifPresent(field -> {
            throw field.unfit("rotary positions that differ by layer are not supported");
          });
    }
    try {
      return switch (type(rope)) {
        case "linear" -> new RopeScaling.Linear(number(rope.member("factor")));
        case "llama3" ->
            new RopeScaling.Llama3(
                number(rope.member("factor")),
                number(rope.member("low_freq_factor")),
                number(rope.member("high_freq_factor")),
                positions(rope.member("original_max_position_embeddings")));
        case "yarn" -> yarn(rope, positionsMax);
        default -> new RopeScaling.None();
      };
    } catch (IllegalArgumentException e) {
      throw rope.unfit(String.valueOf(e.getMessage()));
    }
  }

  private static String type(JsonField rope) {
    Optional<JsonField> newer = rope.find("rope_type");
    Optional<JsonField> older = rope.find("type");
    newer.ifPresent(field -> field.text(TYPES));
    older.ifPresent(field -> field.text(TYPES));
    if (newer.isPresent() && older.isPresent() && !newer.get().text().equals(older.get().text())) {
      throw older.get().unfit("differs from rope_type, which is \"" + newer.get().text() + "\"");
    }
    Optional<JsonField> type = newer.or(() -> older);
    if (type.isEmpty()) {
      rope.find("factor")
          .filter(field -> field.number(0, Double.MAX_VALUE) != 1.0)
          .ifPresent(field -> {
            throw field.unfit("scales rotary positions, but no rope_type says how");
          });
    }
    return type.map(JsonField::text).orElse("default");
  }

  private static RopeScaling yarn(JsonField rope, int positionsMax) {
    Optional<JsonField> originalField = rope.find("original_max_position_embeddings");
    int original = originalField.map(RopeScalingJson::positions).orElse(positionsMax);
    double factor =
        originalField.isPresent() && rope.find("factor").isEmpty()
            ? (double) positionsMax / original
            : number(rope.member("factor"));
    double weight = optional(rope, "mscale", 0);
    double weightOfAll = optional(rope, "mscale_all_dim", 0);
    double usual =
        weight > 0 && weightOfAll > 0
            ? RopeScaling.Yarn.amplitude(factor, weight)
                / RopeScaling.Yarn.amplitude(factor, weightOfAll)
            : RopeScaling.Yarn.amplitude(factor, 1);
    return new RopeScaling.Yarn(
        factor,
        original,
        optional(rope, "beta_fast", 32),
        optional(rope, "beta_slow", 1),
        rope.find("truncate").map(JsonField::flag).orElse(true),
        optional(rope, "attention_factor", usual));
  }

  private static void refusePartial(JsonField parent) {
    parent
        .find("partial_rotary_factor")
        .filter(field -> field.number(0, 1) != 1.0)
        .ifPresent(field -> {
          throw field.unfit("rotates a part of each head only, which this engine does not do");
        });
  }

  private static double optional(JsonField rope, String name, double usual) {
    return rope.find(name).map(RopeScalingJson::number).orElse(usual);
  }

  private static double number(JsonField field) {
    return field.number(0, NUMBER_MAX);
  }

  private static int positions(JsonField field) {
    return field.integer(1, LlamaConfig.POSITIONS_MAX);
  }
}
