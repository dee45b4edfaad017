package io.rigmesh.worker.llama;

import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/// The weights of a model of the Llama family, read one by one when they are asked for: from a
/// Hugging Face folder, whose files are mapped and never copied as a whole, or from
/// [LlamaParameters].
///
/// Everything that a header can tell is checked when a folder is opened: that every tensor is
/// there, with the shape that the config asks for and a type that widens exactly, and that none is
/// left over. Safe for use by several threads until it is closed.
public final class LlamaWeights implements AutoCloseable {
  private final LlamaConfig config;
  private final Map<String, ModelWeight> named;
  private final List<Layer> layers;
  private final String source;
  private final Runnable closing;

  /// The weights of one block, with D = hidden size, F = feed-forward size, Q and K = length of a
  /// query and of a key row, d = length of a head.
  ///
  /// @param attentionNorm gain before attention, `(D)`
  /// @param query `(Q, D)`
  /// @param key `(K, D)`
  /// @param value `(K, D)`
  /// @param queryBias `(Q)`, where the model has it
  /// @param keyBias `(K)`, where the model has it
  /// @param valueBias `(K)`, where the model has it
  /// @param queryNorm gain of every head of queries, `(d)`, where the model has it
  /// @param keyNorm gain of every head of keys, `(d)`, where the model has it
  /// @param output `(D, Q)`
  /// @param outputBias `(D)`, where the model has it
  /// @param feedForwardNorm gain before the SwiGLU block, `(D)`
  /// @param gate `(F, D)`
  /// @param up `(F, D)`
  /// @param down `(D, F)`
  public record Layer(
      ModelWeight attentionNorm,
      ModelWeight query,
      ModelWeight key,
      ModelWeight value,
      Optional<ModelWeight> queryBias,
      Optional<ModelWeight> keyBias,
      Optional<ModelWeight> valueBias,
      Optional<ModelWeight> queryNorm,
      Optional<ModelWeight> keyNorm,
      ModelWeight output,
      Optional<ModelWeight> outputBias,
      ModelWeight feedForwardNorm,
      ModelWeight gate,
      ModelWeight up,
      ModelWeight down) {}

  private LlamaWeights(
      LlamaConfig config, Map<String, ModelWeight> named, String source, Runnable closing) {
    this.config = config;
    this.named = Collections.unmodifiableMap(named);
    this.source = source;
    this.closing = closing;
    List<Layer> blocks = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      blocks.add(layer(layer));
    }
    this.layers = List.copyOf(blocks);
  }

  private Layer layer(int layer) {
    return new Layer(
        weight(LlamaTensors.layer(layer, LlamaTensors.ATTENTION_NORM)),
        weight(LlamaTensors.layer(layer, LlamaTensors.QUERY + ".weight")),
        weight(LlamaTensors.layer(layer, LlamaTensors.KEY + ".weight")),
        weight(LlamaTensors.layer(layer, LlamaTensors.VALUE + ".weight")),
        find(LlamaTensors.layer(layer, LlamaTensors.QUERY + ".bias")),
        find(LlamaTensors.layer(layer, LlamaTensors.KEY + ".bias")),
        find(LlamaTensors.layer(layer, LlamaTensors.VALUE + ".bias")),
        find(LlamaTensors.layer(layer, LlamaTensors.QUERY_NORM)),
        find(LlamaTensors.layer(layer, LlamaTensors.KEY_NORM)),
        weight(LlamaTensors.layer(layer, LlamaTensors.OUTPUT + ".weight")),
        find(LlamaTensors.layer(layer, LlamaTensors.OUTPUT + ".bias")),
        weight(LlamaTensors.layer(layer, LlamaTensors.FEED_FORWARD_NORM)),
        weight(LlamaTensors.layer(layer, LlamaTensors.GATE)),
        weight(LlamaTensors.layer(layer, LlamaTensors.UP)),
        weight(LlamaTensors.layer(layer, LlamaTensors.DOWN)));
  }

  /// Opens a Hugging Face folder: `config.json` and the weights, in one file or in shards. A model
  /// that was saved without a head, as embedding models are, has no [#head].
  ///
  /// @throws ModelFormatException when a file is missing or malformed, when a tensor is missing or
  ///   not what the config asks for, or when one is left over
  public static LlamaWeights open(Path path) {
    ModelFolder folder = ModelFolder.open(path);
    boolean complete = false;
    try {
      LlamaWeights weights = of(folder, folder::close);
      complete = true;
      return weights;
    } finally {
      if (!complete) {
        folder.close();
      }
    }
  }

  /// As [#open], of a folder that stays the caller's to close.
  static LlamaWeights of(ModelFolder folder) {
    return of(folder, () -> {});
  }

  private static LlamaWeights of(ModelFolder folder, Runnable closing) {
    LlamaConfig config = LlamaConfigJson.read(folder.config());
    String prefix =
        folder.find(LlamaTensors.EMBEDDING).isEmpty()
                && folder.find(withoutPrefix(LlamaTensors.EMBEDDING)).isPresent()
            ? ""
            : "model.";
    Map<String, ModelWeight> named = new LinkedHashMap<>();
    LlamaTensors.shapes(config)
        .forEach((name, shape) -> {
          String stored = prefix.isEmpty() ? withoutPrefix(name) : name;
          boolean headless =
              name.equals(LlamaTensors.HEAD) && folder.find(LlamaTensors.HEAD).isEmpty();
          if (!headless) {
            named.put(name, ModelWeight.stored(folder, name, stored, shape));
          }
        });
    refuseLeftovers(folder, config, named, prefix);
    return new LlamaWeights(config, named, folder.path().toString(), closing);
  }

  private static void refuseLeftovers(
      ModelFolder folder, LlamaConfig config, Map<String, ModelWeight> named, String prefix) {
    for (String stored : folder.names()) {
      String name = prefix.isEmpty() ? "model." + stored : stored;
      // Old exports repeat the rotary frequencies and a tied head, which both follow from what is
      // read.
      boolean redundant =
          stored.endsWith(".rotary_emb.inv_freq")
              || (config.tiedHead() && stored.equals(LlamaTensors.HEAD));
      if (!redundant && !named.containsKey(name) && !named.containsKey(stored)) {
        throw new ModelFormatException(
            folder.path().toString(),
            stored,
            folder.find(stored).orElseThrow().offset(),
            "is no tensor of a model with this config; the model has parts that this engine would leave out");
      }
    }
  }

  private static String withoutPrefix(String name) {
    return name.startsWith("model.") ? name.substring("model.".length()) : name;
  }

  /// The weights that are in memory already; closing them does nothing.
  public static LlamaWeights of(LlamaParameters parameters) {
    Map<String, ModelWeight> named = new LinkedHashMap<>();
    parameters.named().forEach((name, tensor) -> named.put(name, ModelWeight.of(name, tensor)));
    return new LlamaWeights(parameters.config(), named, "the parameters in memory", () -> {});
  }

  /// Weights that are made tensor by tensor, in the fixed order; closing them does nothing.
  ///
  /// @param tensors makes the tensor of a name and shape
  public static LlamaWeights of(LlamaConfig config, BiFunction<String, int[], Tensor> tensors) {
    Map<String, ModelWeight> named = new LinkedHashMap<>();
    LlamaTensors.shapes(config)
        .forEach((name, shape) ->
            named.put(name, ModelWeight.of(name, tensors.apply(name, shape.clone()))));
    return new LlamaWeights(config, named, "the weights made in memory", () -> {});
  }

  /// The model's sizes.
  public LlamaConfig config() {
    return config;
  }

  /// Every weight by name, in the fixed order; a tied head is not among them.
  public Map<String, ModelWeight> named() {
    return named;
  }

  /// The blocks, first to last.
  public List<Layer> layers() {
    return layers;
  }

  /// The embedding table, `(V, D)`.
  public ModelWeight embedding() {
    return weight(LlamaTensors.EMBEDDING);
  }

  /// The gain of the norm before the head, `(D)`.
  public ModelWeight finalNorm() {
    return weight(LlamaTensors.FINAL_NORM);
  }

  /// The output head, `(V, D)`: the embedding table itself where it is tied.
  ///
  /// @throws ModelFormatException when the folder has none
  public ModelWeight head() {
    return config.tiedHead() ? embedding() : weight(LlamaTensors.HEAD);
  }

  /// How many bytes the files hold of these weights.
  public long bytes() {
    return named.values().stream().mapToLong(weight -> weight.bytes().byteSize()).sum();
  }

  /// The weight of a name of the fixed order.
  ///
  /// @throws ModelFormatException when there is none
  public ModelWeight weight(String name) {
    return find(name)
        .orElseThrow(() ->
            new ModelFormatException(
                source,
                name,
                ModelFormatException.NO_OFFSET,
                name.equals(LlamaTensors.HEAD)
                    ? "no weights file holds this tensor; a model without a head makes embeddings, not text"
                    : "no weights file holds this tensor"));
  }

  private Optional<ModelWeight> find(String name) {
    return Optional.ofNullable(named.get(name));
  }

  /// Unmaps the files; what was read stays.
  @Override
  public void close() {
    closing.run();
  }
}
