package io.rigmesh.worker.llama;

import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.SafetensorsWriter;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One tensor for every parameter of a plain Llama: the weights themselves, their gradients, or one
/// of the optimiser's moments.
///
/// Names and shapes are Hugging Face's. The fixed order, which Merkle roots and sums of norms rely
/// on, is: the embedding, then for each layer the fields of [Layer] as declared, then the final
/// norm, then the head unless it is tied. Not thread-safe while written.
public final class LlamaParameters {
  private static final double DEVIATION = 0.02;

  private final LlamaConfig config;
  private final Map<String, Tensor> named;
  private final List<Layer> layers;

  /// The parameters of one block, with D = hidden size, F = feed-forward size, Q and K = length of
  /// a query and of a key row.
  ///
  /// @param attentionNorm gain before attention, `(D)`
  /// @param query `(Q, D)`
  /// @param key `(K, D)`
  /// @param value `(K, D)`
  /// @param output `(D, Q)`
  /// @param feedForwardNorm gain before the SwiGLU block, `(D)`
  /// @param gate `(F, D)`
  /// @param up `(F, D)`
  /// @param down `(D, F)`
  public record Layer(
      Tensor attentionNorm,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor output,
      Tensor feedForwardNorm,
      Tensor gate,
      Tensor up,
      Tensor down) {}

  /// Where a parameter's tensor comes from.
  private interface Source {
    Tensor tensor(String name, int... shape);
  }

  private LlamaParameters(LlamaConfig config, Source source) {
    config
        .beyondPlainLlama()
        .ifPresent(field -> {
          throw new IllegalArgumentException(
              "Only plain Llamas are trained, but this model has " + field + ".");
        });
    this.config = config;
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    LlamaTensors.shapes(config)
        .forEach((name, shape) -> tensors.put(name, source.tensor(name, shape)));
    this.named = Collections.unmodifiableMap(tensors);
    List<Layer> blocks = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      blocks.add(layer(layer));
    }
    this.layers = List.copyOf(blocks);
  }

  private Layer layer(int layer) {
    return new Layer(
        tensor(LlamaTensors.layer(layer, LlamaTensors.ATTENTION_NORM)),
        tensor(LlamaTensors.layer(layer, LlamaTensors.QUERY + ".weight")),
        tensor(LlamaTensors.layer(layer, LlamaTensors.KEY + ".weight")),
        tensor(LlamaTensors.layer(layer, LlamaTensors.VALUE + ".weight")),
        tensor(LlamaTensors.layer(layer, LlamaTensors.OUTPUT + ".weight")),
        tensor(LlamaTensors.layer(layer, LlamaTensors.FEED_FORWARD_NORM)),
        tensor(LlamaTensors.layer(layer, LlamaTensors.GATE)),
        tensor(LlamaTensors.layer(layer, LlamaTensors.UP)),
        tensor(LlamaTensors.layer(layer, LlamaTensors.DOWN)));
  }

  /// All +0: where gradients are written and moments start.
  public static LlamaParameters zeros(LlamaConfig config) {
    return new LlamaParameters(config, (name, shape) -> Tensor.zeros(shape));
  }

  /// Fresh weights of a seed: gains are 1, all else normal with deviation 0.02, the projections
  /// that end on the residual stream (output and down) with 0.02 / sqrt(2 L), as GPT-2 and its
  /// successors start.
  ///
  /// Element e of tensor i of the fixed order is [Philox#gaussian] at position e of lane i of
  /// [RandomStream#WEIGHTS], times the deviation rounded to binary32. Any machine gets these bits.
  public static LlamaParameters initial(LlamaConfig config, long seed) {
    double residualDeviation = DEVIATION / StrictMath.sqrt(2.0 * config.layers());
    int[] lane = {0};
    return new LlamaParameters(
        config,
        (name, shape) -> {
          Tensor tensor = Tensor.zeros(shape);
          long stream = RandomStream.WEIGHTS.lane(lane[0]++);
          if (shape.length == 1) {
            tensor.fill(1f);
            return tensor;
          }
          boolean endsOnResidual =
              name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight");
          float deviation = (float) (endsOnResidual ? residualDeviation : DEVIATION);
          for (int e = 0; e < tensor.size(); e++) {
            tensor.set(e, Philox.gaussian(seed, stream, e) * deviation);
          }
          return tensor;
        });
  }

  /// The weights in a Hugging Face folder of a plain Llama, as binary32.
  ///
  /// @throws ModelFormatException when the config or a tensor is not what this architecture has, a
  ///   tensor is left over, or the model is more than a plain Llama
  public static LlamaParameters read(ModelFolder folder) {
    LlamaWeights weights = LlamaWeights.of(folder);
    weights
        .config()
        .beyondPlainLlama()
        .ifPresent(field -> {
          throw folder
              .config()
              .unfit("only plain Llamas are trained here, but this model has " + field);
        });
    return new LlamaParameters(weights.config(), (name, shape) -> weights.weight(name).read());
  }

  /// Writes `config.json` and `model.safetensors` into a folder, which is made if need be.
  public void write(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make the folder " + folder + ": " + e.getMessage(), e);
    }
    LlamaConfigJson.write(config, folder);
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    addTo(writer, "");
    writer.write(folder.resolve("model.safetensors"));
  }

  /// Adds every tensor to a safetensors file, its name behind `prefix`.
  public void addTo(SafetensorsWriter writer, String prefix) {
    named.forEach((name, tensor) -> {
      long[] shape = new long[tensor.rank()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = tensor.dim(i);
      }
      writer.add(prefix + name, tensor.data(), shape);
    });
  }

  /// The sizes these parameters have.
  public LlamaConfig config() {
    return config;
  }

  /// Every tensor by name, in the fixed order.
  public Map<String, Tensor> named() {
    return named;
  }

  /// The tensor of a name of the fixed order.
  public Tensor tensor(String name) {
    Tensor tensor = named.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("A Llama of this config has no tensor " + name + ".");
    }
    return tensor;
  }

  /// The blocks, first to last.
  public List<Layer> layers() {
    return layers;
  }

  /// The embedding table, `(V, D)`.
  public Tensor embedding() {
    return tensor(LlamaTensors.EMBEDDING);
  }

  /// The gain of the norm before the head, `(D)`.
  public Tensor finalNorm() {
    return tensor(LlamaTensors.FINAL_NORM);
  }

  /// The output head, `(V, D)`: the embedding table itself where it is tied.
  public Tensor head() {
    return config.tiedHead() ? embedding() : tensor(LlamaTensors.HEAD);
  }
}
