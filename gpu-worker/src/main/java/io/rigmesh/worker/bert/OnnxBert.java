package io.rigmesh.worker.bert;

import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.OnnxGraph;
import io.rigmesh.worker.format.OnnxNode;
import io.rigmesh.worker.format.OnnxTensor;
import io.rigmesh.worker.format.SafetensorsWriter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Finds a BERT encoder in an ONNX graph. PyTorch's exporter keeps the Hugging Face names of
/// embeddings, norms and biases, but folds the transposition of a linear layer's weight into a new
/// constant without a name of use (`onnx::MatMul_787`, stored `(in, out)`). Such a weight is named
/// by walking the graph: it belongs to the bias that is added to its product.
///
/// Sizes come from the shapes, the number of heads from the reshape that splits them, and the
/// epsilon from the norms.
final class OnnxBert {

  private static final Set<String> QUANTISED =
      Set.of("MatMulInteger", "QLinearMatMul", "DynamicQuantizeLinear", "DequantizeLinear");

  /// A linear weight in the graph, and whether it is stored `(in, out)`.
  private record LinearWeight(OnnxTensor tensor, boolean transposed) {}

  private final OnnxGraph graph;
  private final String prefix;
  private final Map<String, LinearWeight> linear = new HashMap<>();
  private final BertConfig config;

  /// @throws ModelFormatException when the graph is not that of a BERT encoder with float weights
  OnnxBert(OnnxGraph graph) {
    this.graph = graph;
    graph.nodes().stream()
        .filter(node -> QUANTISED.contains(node.operator()))
        .findFirst()
        .ifPresent(node -> {
          throw refused(
              node.label(), "is " + node.operator() + "; import an export without quantisation");
        });
    this.prefix = findPrefix();
    nameLinearWeights();
    this.config = findConfig();
  }

  BertConfig config() {
    return config;
  }

  /// Adds all tensors of the encoder under their Hugging Face names, linear weights as `(out, in)`.
  void addTo(SafetensorsWriter writer) {
    BertTensors.shapes(config)
        .forEach((name, shape) -> {
          LinearWeight weight = linear.get(name);
          if (weight == null) {
            OnnxTensor tensor = named(name);
            expectShape(name, tensor, shape);
            writer.add(name, tensor.floats(), shape);
          } else if (weight.transposed()) {
            expectShape(name, weight.tensor(), shape[1], shape[0]);
            writer.add(
                name, transposed(weight.tensor().floats(), (int) shape[1], (int) shape[0]), shape);
          } else {
            expectShape(name, weight.tensor(), shape);
            writer.add(name, weight.tensor().floats(), shape);
          }
        });
  }

  private static float[] transposed(float[] values, int rows, int columns) {
    float[] turned = new float[values.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        turned[column * rows + row] = values[row * columns + column];
      }
    }
    return turned;
  }

  /// What stands before the names, for instance `bert.` or `0.auto_model.`.
  private String findPrefix() {
    List<String> prefixes =
        graph.constants().keySet().stream()
            .filter(
                name -> name.equals(BertTensors.WORDS) || name.endsWith("." + BertTensors.WORDS))
            .map(name -> name.substring(0, name.length() - BertTensors.WORDS.length()))
            .toList();
    if (prefixes.size() != 1) {
      throw refused(
          BertTensors.WORDS,
          prefixes.isEmpty()
              ? "is missing; the graph is not that of a BERT model"
              : "stands there for several models: " + prefixes);
    }
    return prefixes.getFirst();
  }

  private void nameLinearWeights() {
    for (OnnxNode node : graph.nodes()) {
      boolean gemm = node.operator().equals("Gemm");
      if ((!gemm && !node.operator().equals("MatMul")) || node.inputs().size() < 2) {
        continue;
      }
      Optional<LinearWeight> weight =
          weight(node.inputs().get(1), gemm && node.integers().getOrDefault("transB", 0L) == 1);
      Optional<String> bias = gemm ? biasAmong(node.inputs()) : biasAddedTo(node);
      if (weight.isPresent() && bias.isPresent()) {
        String name = bias.get().substring(0, bias.get().length() - "bias".length()) + "weight";
        if (linear.put(name, weight.get()) != null) {
          throw refused(
              node.label(), "is a second product to which the bias of " + name + " is added");
        }
      }
    }
  }

  /// The constant under a product's second input, seen through a Transpose that was not folded.
  private Optional<LinearWeight> weight(String value, boolean turned) {
    Optional<LinearWeight> direct =
        graph.constant(value).map(tensor -> new LinearWeight(tensor, !turned));
    return direct.or(() ->
        graph
            .maker(value)
            .filter(maker -> maker.operator().equals("Transpose") && maker.inputs().size() == 1)
            .flatMap(maker -> graph.constant(maker.inputs().getFirst()))
            .map(tensor -> new LinearWeight(tensor, turned)));
  }

  private Optional<String> biasAddedTo(OnnxNode product) {
    return product.outputs().stream()
        .flatMap(output -> graph.readers(output).stream())
        .filter(reader -> reader.operator().equals("Add"))
        .flatMap(add -> biasAmong(add.inputs()).stream())
        .findFirst();
  }

  /// The Hugging Face name, without the prefix, of the bias among some values.
  private Optional<String> biasAmong(List<String> values) {
    return values.stream()
        .filter(value ->
            value.startsWith(prefix)
                && value.endsWith(".bias")
                && graph.constant(value).isPresent())
        .map(value -> value.substring(prefix.length()))
        .findFirst();
  }

  private BertConfig findConfig() {
    List<Long> words = rank2(BertTensors.WORDS);
    int hidden = dimension(BertTensors.WORDS, words.get(1));
    int layers = 0;
    while (graph
        .constant(prefix + BertTensors.layer(layers, BertTensors.QUERY) + ".bias")
        .isPresent()) {
      layers++;
    }
    if (layers == 0) {
      throw refused(
          BertTensors.layer(0, BertTensors.QUERY) + ".bias",
          "is missing; the graph is not that of a BERT encoder");
    }
    for (String name : BertTensors.shapes(sizes(words, hidden, layers, 1, 0)).keySet()) {
      if (!linear.containsKey(name)) {
        named(name);
      }
    }
    requireGelu();
    return sizes(words, hidden, layers, findHeads(hidden), findEpsilon());
  }

  private BertConfig sizes(List<Long> words, int hidden, int layers, int heads, float epsilon) {
    String bias = BertTensors.layer(0, BertTensors.INTERMEDIATE) + ".bias";
    OnnxTensor intermediate = named(bias);
    if (intermediate.shape().size() != 1) {
      throw intermediate.refused("dims", "are " + intermediate.shape() + ", must be one number");
    }
    return new BertConfig(
        dimension(BertTensors.WORDS, words.getFirst()),
        hidden,
        layers,
        heads,
        dimension(bias, intermediate.shape().getFirst()),
        dimension(BertTensors.POSITIONS, rank2(BertTensors.POSITIONS).getFirst()),
        dimension(BertTensors.TYPES, rank2(BertTensors.TYPES).getFirst()),
        epsilon);
  }

  private List<Long> rank2(String name) {
    OnnxTensor tensor = named(name);
    if (tensor.shape().size() != 2) {
      throw tensor.refused("dims", "are " + tensor.shape() + ", must be two numbers");
    }
    return tensor.shape();
  }

  private int dimension(String name, long value) {
    if (value < 1 || value > 1 << 24) {
      throw refused(name, "has a dimension of " + value + ", must be from 1 to " + (1 << 24));
    }
    return (int) value;
  }

  private OnnxTensor named(String name) {
    return graph
        .constant(prefix + name)
        .orElseThrow(() ->
            refused(
                prefix + name,
                "is missing; only exports that keep the names of biases and norms, and are not fused, can be imported"));
  }

  private void expectShape(String name, OnnxTensor tensor, long... shape) {
    List<Long> wanted = java.util.Arrays.stream(shape).boxed().toList();
    if (!tensor.shape().equals(wanted)) {
      throw tensor.refused("dims", "are " + tensor.shape() + ", " + name + " must have " + wanted);
    }
  }

  private void requireGelu() {
    boolean exact =
        graph.nodes().stream()
            .anyMatch(node -> node.operator().equals("Erf") || node.operator().equals("Gelu"));
    if (!exact) {
      throw refused("activation", "is not gelu (no Erf or Gelu in the graph)");
    }
  }

  /// The heads are where a reshape to four dimensions ends in two constants whose product is the
  /// hidden size.
  private int findHeads(int hidden) {
    Set<Long> found = new TreeSet<>();
    for (OnnxNode node : graph.nodes()) {
      if (node.operator().equals("Reshape") && node.inputs().size() == 2) {
        Map<Integer, Long> shape = knownDimensions(node.inputs().get(1));
        long heads = shape.getOrDefault(2, 0L);
        long headSize = shape.getOrDefault(3, 0L);
        // A size of -1 is inferred from the others.
        if (heads > 0 && headSize == -1 && hidden % heads == 0) {
          headSize = hidden / heads;
        }
        if (heads > 0 && headSize > 0 && heads <= hidden && heads * headSize == hidden) {
          found.add(heads);
        }
      }
    }
    if (found.size() != 1) {
      throw refused(
          "num_attention_heads",
          "cannot be read from the graph: candidates are " + found + ", one is needed");
    }
    return found.iterator().next().intValue();
  }

  /// The constant elements of a shape, by index: a constant, or a concatenation of constants and
  /// computed sizes.
  private Map<Integer, Long> knownDimensions(String value) {
    Map<Integer, Long> known = new LinkedHashMap<>();
    Optional<OnnxTensor> whole = graph.constant(value);
    if (whole.isPresent()) {
      List<Long> integers = whole.get().smallIntegers();
      for (int i = 0; i < integers.size(); i++) {
        known.put(i, integers.get(i));
      }
      return known;
    }
    Optional<OnnxNode> concat = graph.maker(value).filter(node -> node.operator().equals("Concat"));
    List<String> parts = concat.map(OnnxNode::inputs).orElse(List.of());
    for (int i = 0; i < parts.size(); i++) {
      List<Long> integers =
          graph.constant(parts.get(i)).map(OnnxTensor::smallIntegers).orElse(List.of());
      if (integers.size() == 1) {
        known.put(i, integers.getFirst());
      }
    }
    return known;
  }

  /// The epsilon that every norm adds, either an attribute or the constant under the square root.
  private float findEpsilon() {
    Set<Float> found = new TreeSet<>();
    for (OnnxNode node : graph.nodes()) {
      switch (node.operator()) {
        case "LayerNormalization" -> found.add(node.reals().getOrDefault("epsilon", 1e-5f));
        case "Sqrt" ->
            node.inputs().stream()
                .flatMap(input -> graph.maker(input).stream())
                .filter(maker -> maker.operator().equals("Add"))
                .flatMap(add -> add.inputs().stream())
                .flatMap(input -> graph.constant(input).stream())
                .filter(tensor -> tensor.isFloat() && tensor.shape().stream().allMatch(d -> d == 1))
                .forEach(tensor -> found.add(tensor.floats()[0]));
        default -> {}
      }
    }
    if (found.size() != 1) {
      throw refused(
          "layer_norm_eps",
          "cannot be read from the graph: candidates are " + found + ", one is needed");
    }
    return found.iterator().next();
  }

  private ModelFormatException refused(String field, String problem) {
    return new ModelFormatException(graph.file(), field, ModelFormatException.NO_OFFSET, problem);
  }
}
