package io.rigmesh.worker.llama;

import io.rigmesh.worker.format.JsonField;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The model families whose config.json is read here, with what each takes for granted.
enum ModelFamily {
  LLAMA("llama", "Llama", 10_000.0, false),
  MISTRAL("mistral", "Mistral", 10_000.0, false),
  QWEN2("qwen2", "Qwen2", 10_000.0, false),
  QWEN3("qwen3", "Qwen3", 10_000.0, false),
  SMOLLM3("smollm3", "SmolLM3", 2_000_000.0, true);

  private final String modelType;
  private final String prefix;
  private final double ropeTheta;
  private final boolean tiedHead;

  ModelFamily(String modelType, String prefix, double ropeTheta, boolean tiedHead) {
    this.modelType = modelType;
    this.prefix = prefix;
    this.ropeTheta = ropeTheta;
    this.tiedHead = tiedHead;
  }

  /// The family that a config.json names by `model_type`, by `architectures`, or by both.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException when it is none of these, or the two
  ///   disagree
  static ModelFamily of(JsonField root) {
    Optional<JsonField> architecture =
        root.find("architectures")
            .map(field -> {
              List<JsonField> names = field.items();
              if (names.size() != 1) {
                throw field.unfit("must name exactly one architecture");
              }
              return names.getFirst();
            });
    Optional<JsonField> type = root.find("model_type");
    if (type.isEmpty() && architecture.isPresent()) {
      String name = architecture.get().text(allArchitectures());
      return Arrays.stream(values())
          .filter(family -> family.architectures().contains(name))
          .findFirst()
          .orElseThrow();
    }
    JsonField field = root.member("model_type");
    String name = field.text(Arrays.stream(values()).map(family -> family.modelType).toList());
    ModelFamily found =
        Arrays.stream(values())
            .filter(family -> family.modelType.equals(name))
            .findFirst()
            .orElseThrow();
    architecture.ifPresent(named -> named.text(found.architectures()));
    return found;
  }

  /// Whether an architecture of this family is the decoder alone, without a language model head.
  boolean isBare(String architecture) {
    return architecture.equals(prefix + "Model");
  }

  /// With a language model head, and without.
  private List<String> architectures() {
    return List.of(prefix + "ForCausalLM", prefix + "Model");
  }

  private static List<String> allArchitectures() {
    return Arrays.stream(values()).flatMap(family -> family.architectures().stream()).toList();
  }

  /// The base of rotary frequencies where the config names none.
  double ropeTheta() {
    return ropeTheta;
  }

  /// Whether the head is tied where the config does not say.
  boolean tiedHead() {
    return tiedHead;
  }
}
