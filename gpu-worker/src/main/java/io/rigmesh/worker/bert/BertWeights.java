package io.rigmesh.worker.bert;

import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;

/// The weights of a BERT encoder, read one by one when they are asked for. That every tensor is
/// there, with the shape that the config asks for, is checked when a folder is opened; a checkpoint
/// of a model with a head, say for classification, has its encoder under `bert.`.
public final class BertWeights implements AutoCloseable {
  private static final String NESTED = "bert.";

  private final BertConfig config;
  private final Map<String, ModelWeight> named;
  private final Runnable closing;

  /// A linear layer with H inputs or outputs.
  ///
  /// @param weight `(out, in)`
  /// @param bias `(out)`
  public record Linear(ModelWeight weight, ModelWeight bias) {}

  /// A layer norm.
  ///
  /// @param gain `(H)`
  /// @param bias `(H)`
  public record Norm(ModelWeight gain, ModelWeight bias) {}

  /// One encoder layer, H = hidden size, F = intermediate size.
  ///
  /// @param query `(H, H)`
  /// @param key `(H, H)`
  /// @param value `(H, H)`
  /// @param attentionOutput `(H, H)`
  /// @param attentionNorm after attention and its residual
  /// @param intermediate `(F, H)`
  /// @param output `(H, F)`
  /// @param outputNorm after the feed-forward network and its residual
  public record Layer(
      Linear query,
      Linear key,
      Linear value,
      Linear attentionOutput,
      Norm attentionNorm,
      Linear intermediate,
      Linear output,
      Norm outputNorm) {}

  private BertWeights(BertConfig config, Map<String, ModelWeight> named, Runnable closing) {
    this.config = config;
    this.named = Collections.unmodifiableMap(named);
    this.closing = closing;
  }

  /// Opens a Hugging Face folder.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException when the config or a weight is missing
  ///   or does not fit
  public static BertWeights open(Path path) {
    ModelFolder folder = ModelFolder.open(path);
    boolean complete = false;
    try {
      BertConfig config = BertConfig.read(folder.config());
      String prefix = folder.find(NESTED + BertTensors.WORDS).isPresent() ? NESTED : "";
      Map<String, ModelWeight> named = new LinkedHashMap<>();
      BertTensors.shapes(config)
          .forEach((name, shape) ->
              named.put(name, ModelWeight.stored(folder, name, prefix + name, sizes(shape))));
      BertWeights weights = new BertWeights(config, named, folder::close);
      complete = true;
      return weights;
    } finally {
      if (!complete) {
        folder.close();
      }
    }
  }

  /// Weights that are made tensor by tensor, in the order of [#named]; closing them does nothing.
  ///
  /// @param tensors makes the tensor of a name and shape
  public static BertWeights of(BertConfig config, BiFunction<String, int[], Tensor> tensors) {
    Map<String, ModelWeight> named = new LinkedHashMap<>();
    BertTensors.shapes(config)
        .forEach((name, shape) ->
            named.put(name, ModelWeight.of(name, tensors.apply(name, sizes(shape)))));
    return new BertWeights(config, named, () -> {});
  }

  private static int[] sizes(long... shape) {
    return Arrays.stream(shape).mapToInt(Math::toIntExact).toArray();
  }

  /// The sizes.
  public BertConfig config() {
    return config;
  }

  /// Every weight by name: the tables of words, positions and types, the first norm, then layer by
  /// layer.
  public Map<String, ModelWeight> named() {
    return named;
  }

  /// How many bytes the files hold of these weights.
  public long bytes() {
    return named.values().stream().mapToLong(weight -> weight.bytes().byteSize()).sum();
  }

  /// The word embedding, `(V, H)`.
  public ModelWeight words() {
    return weight(BertTensors.WORDS);
  }

  /// The position embedding, `(P, H)`.
  public ModelWeight positions() {
    return weight(BertTensors.POSITIONS);
  }

  /// The token type embedding, `(types, H)`, of which only the first row is used.
  public ModelWeight types() {
    return weight(BertTensors.TYPES);
  }

  /// The norm of the embeddings.
  public Norm embeddingNorm() {
    return norm(BertTensors.EMBEDDING_NORM);
  }

  /// The layers, first to last.
  public List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(
          new Layer(
              linear(BertTensors.layer(layer, BertTensors.QUERY)),
              linear(BertTensors.layer(layer, BertTensors.KEY)),
              linear(BertTensors.layer(layer, BertTensors.VALUE)),
              linear(BertTensors.layer(layer, BertTensors.ATTENTION_OUTPUT)),
              norm(BertTensors.layer(layer, BertTensors.ATTENTION_NORM)),
              linear(BertTensors.layer(layer, BertTensors.INTERMEDIATE)),
              linear(BertTensors.layer(layer, BertTensors.OUTPUT)),
              norm(BertTensors.layer(layer, BertTensors.OUTPUT_NORM))));
    }
    return layers;
  }

  private Linear linear(String name) {
    return new Linear(weight(name + ".weight"), weight(name + ".bias"));
  }

  private Norm norm(String name) {
    return new Norm(weight(name + ".weight"), weight(name + ".bias"));
  }

  private ModelWeight weight(String name) {
    return Objects.requireNonNull(named.get(name), name);
  }

  /// Unmaps the files; what was read stays.
  @Override
  public void close() {
    closing.run();
  }
}
