package io.rigmesh.worker.llama;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.worker.format.JsonField;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Reads and writes a [LlamaConfig] as Hugging Face's config.json: of Llama, Mistral, Qwen2, Qwen3
/// and SmolLM3, with or without their language model head. What this engine would compute otherwise
/// than the model was made for (another activation, biases in the feed-forward block, quantised
/// weights, another kind of rotary scaling) is refused by its field.
public final class LlamaConfigJson {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final String ARCHITECTURE = "LlamaForCausalLM";

  private LlamaConfigJson() {}

  /// The configuration in the root of a config.json; missing fields have transformers' defaults
  /// where it has some that models rely on, and are refused otherwise.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException naming the file, the field, its byte and
  ///   the problem
  public static LlamaConfig read(JsonField root) {
    ModelFamily family = ModelFamily.of(root);
    refuseWhatIsMissingHere(family, root);
    int vocabularySize = root.member("vocab_size").integer(1, LlamaConfig.VOCABULARY_MAX);
    int hiddenSize = root.member("hidden_size").integer(1, LlamaConfig.WIDTH_MAX);
    int layers = root.member("num_hidden_layers").integer(1, LlamaConfig.LAYERS_MAX);
    int heads = root.member("num_attention_heads").integer(1, LlamaConfig.HEADS_MAX);
    int kvHeads = kvHeads(family, root, heads);
    int positionsTrained = positionsTrained(family, root);
    RopeScaling scaling = RopeScalingJson.read(root, positionsTrained);
    int positionsMax = positionsMax(scaling, positionsTrained);
    boolean attentionBias = root.find("attention_bias").map(JsonField::flag).orElse(false);
    try {
      return new LlamaConfig(
          vocabularySize,
          hiddenSize,
          layers,
          heads,
          kvHeads,
          headDim(family, root, hiddenSize, heads),
          root.member("intermediate_size").integer(1, LlamaConfig.WIDTH_MAX),
          positionsMax,
          RopeScalingJson.theta(root, family.ropeTheta()),
          scaling,
          (float)
              root.find("rms_norm_eps")
                  .map(field -> field.number(1e-12, 0.1))
                  .orElse(1e-6)
                  .doubleValue(),
          root.find("tie_word_embeddings").map(JsonField::flag).orElse(family.tiedHead()),
          attentionBias || family == ModelFamily.QWEN2,
          attentionBias && family != ModelFamily.QWEN2,
          family == ModelFamily.QWEN3,
          LayerAttentionJson.read(family, root, layers, positionsMax),
          beginToken(root, vocabularySize),
          endTokens(root, vocabularySize));
    } catch (IllegalArgumentException e) {
      throw root.unfit(String.valueOf(e.getMessage()));
    }
  }

  /// Whether the weights beside this config.json end in a language model head, so that tokens can
  /// be generated: a tied one always, another unless the architecture is that of the bare decoder,
  /// as embedding models are saved.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException as [#read]
  public static boolean hasHead(JsonField root) {
    ModelFamily family = ModelFamily.of(root);
    return root.find("tie_word_embeddings").map(JsonField::flag).orElse(family.tiedHead())
        || root.find("architectures").map(named -> named.items().getFirst().text()).stream()
            .noneMatch(family::isBare);
  }

  /// Writes the `config.json` of a plain Llama into a folder, replacing one that is there.
  ///
  /// @throws IllegalArgumentException when the model is more than a plain Llama
  public static void write(LlamaConfig config, Path folder) {
    config
        .beyondPlainLlama()
        .ifPresent(field -> {
          throw new IllegalArgumentException(
              "Only plain Llamas are written, but this model has " + field + ".");
        });
    ObjectNode root = JSON.createObjectNode();
    root.putArray("architectures").add(ARCHITECTURE);
    root.put("model_type", "llama");
    root.put("vocab_size", config.vocabularySize());
    root.put("hidden_size", config.hiddenSize());
    root.put("num_hidden_layers", config.layers());
    root.put("num_attention_heads", config.heads());
    root.put("num_key_value_heads", config.kvHeads());
    root.put("head_dim", config.headDim());
    root.put("intermediate_size", config.feedForwardSize());
    root.put("max_position_embeddings", config.positionsMax());
    root.put("rope_theta", config.ropeTheta());
    root.put("rms_norm_eps", config.normEpsilon());
    root.put("tie_word_embeddings", config.tiedHead());
    root.put("hidden_act", "silu");
    root.put("attention_bias", false);
    root.put("mlp_bias", false);
    root.put("torch_dtype", "float32");
    config.beginTokenId().ifPresent(id -> root.put("bos_token_id", id));
    List<Integer> ends = config.endTokenIds();
    if (ends.size() == 1) {
      root.put("eos_token_id", ends.getFirst());
    } else if (!ends.isEmpty()) {
      ArrayNode ids = root.putArray("eos_token_id");
      ends.forEach(ids::add);
    }
    Path file = folder.resolve("config.json");
    try {
      Files.writeString(file, JSON.writeValueAsString(root) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  private static void refuseWhatIsMissingHere(ModelFamily family, JsonField root) {
    root.find("hidden_act").ifPresent(field -> field.text(List.of("silu", "swish")));
    refuseFlag(root, "mlp_bias", "has biases in the feed-forward block, which this engine lacks");
    refuseFlag(root, "use_mrope", "has rotary positions of images, which this engine lacks");
    if (family == ModelFamily.MISTRAL) {
      refuseFlag(root, "attention_bias", "has biases in attention, which a Mistral lacks");
    }
    root.find("quantization_config")
        .ifPresent(field -> {
          throw field.unfit("the weights are quantised; use the model's F32, F16 or BF16 version");
        });
  }

  private static void refuseFlag(JsonField root, String name, String problem) {
    root.find(name)
        .filter(JsonField::flag)
        .ifPresent(field -> {
          throw field.unfit(problem);
        });
  }

  private static int kvHeads(ModelFamily family, JsonField root, int heads) {
    // Where the field is missing, each family has another default; only that of the first Llamas,
    // which were older than grouped queries, is met in practice.
    JsonField field =
        family == ModelFamily.LLAMA
            ? root.find("num_key_value_heads").orElse(root.member("num_attention_heads"))
            : root.member("num_key_value_heads");
    int kvHeads = field.integer(1, LlamaConfig.HEADS_MAX);
    if (heads % kvHeads != 0) {
      throw field.unfit("is " + kvHeads + ", must divide num_attention_heads, which is " + heads);
    }
    return kvHeads;
  }

  private static int positionsTrained(ModelFamily family, JsonField root) {
    return family == ModelFamily.LLAMA && root.find("max_position_embeddings").isEmpty()
        ? 2048
        : root.member("max_position_embeddings").integer(1, LlamaConfig.POSITIONS_MAX);
  }

  /// Models that are made to be stretched by YaRN on demand keep the length that they were trained
  /// on in max_position_embeddings; the factor says how far they reach.
  private static int positionsMax(RopeScaling scaling, int positionsTrained) {
    return scaling instanceof RopeScaling.Yarn yarn
        ? Math.clamp(
            (long) (yarn.factor() * yarn.originalPositions()),
            positionsTrained,
            LlamaConfig.POSITIONS_MAX)
        : positionsTrained;
  }

  private static int headDim(ModelFamily family, JsonField root, int hiddenSize, int heads) {
    Optional<JsonField> field = root.find("head_dim");
    if (field.isPresent()) {
      int headDim = field.get().integer(2, LlamaConfig.HEAD_DIM_MAX);
      if (headDim % 2 != 0) {
        throw field.get().unfit("is " + headDim + ", must be even");
      }
      return headDim;
    }
    if (family == ModelFamily.QWEN3) {
      return 128;
    }
    if (hiddenSize % (2 * heads) != 0) {
      throw root.member("hidden_size")
          .unfit(
              "is "
                  + hiddenSize
                  + ", must be a multiple of twice num_attention_heads, which is "
                  + heads
                  + ", or head_dim must be given");
    }
    return hiddenSize / heads;
  }

  private static OptionalInt beginToken(JsonField root, int vocabularySize) {
    return root.find("bos_token_id")
        .map(field -> OptionalInt.of(field.integer(0, vocabularySize - 1)))
        .orElse(OptionalInt.empty());
  }

  private static List<Integer> endTokens(JsonField root, int vocabularySize) {
    Optional<JsonField> field = root.find("eos_token_id");
    if (field.isEmpty()) {
      return List.of();
    }
    if (!field.get().isArray()) {
      return List.of(field.get().integer(0, vocabularySize - 1));
    }
    List<JsonField> items = field.get().items();
    if (items.size() > LlamaConfig.END_TOKENS_MAX) {
      throw field.get().unfit("names more than " + LlamaConfig.END_TOKENS_MAX + " tokens");
    }
    return items.stream().map(item -> item.integer(0, vocabularySize - 1)).toList();
  }
}
