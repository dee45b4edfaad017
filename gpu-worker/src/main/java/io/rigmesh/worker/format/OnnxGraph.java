package io.rigmesh.worker.format;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The graph of an ONNX file: its nodes, its constant tensors, and who makes and who reads each
/// value. The file is memory-mapped; only names and small things are copied.
///
/// Source: onnx.proto3 of github.com/onnx/onnx, whose field numbers stand in the switches.
public final class OnnxGraph implements AutoCloseable {

  static final int NAME_BYTES_MAX = 4096;
  private static final int NODES_MAX = 100_000;
  private static final int VALUES_MAX = 256;

  private final String file;
  private final Arena arena;
  private final List<OnnxNode> nodes = new ArrayList<>();
  private final Map<String, OnnxTensor> constants = new LinkedHashMap<>();
  private final Map<String, OnnxNode> makers = new HashMap<>();
  private final Map<String, List<OnnxNode>> readers = new HashMap<>();
  private final List<String> outputs = new ArrayList<>();

  private OnnxGraph(String file, Arena arena) {
    this.file = file;
    this.arena = arena;
  }

  /// Maps a file and walks it.
  ///
  /// @param name the file's name in errors
  /// @throws ModelFormatException when it is no well-formed ONNX model with its weights inside
  public static OnnxGraph open(Path path, String name) {
    Arena arena = Arena.ofShared();
    try {
      MemorySegment data;
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        data = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + path + ": " + e.getMessage(), e);
      }
      OnnxGraph graph = new OnnxGraph(name, arena);
      graph.readModel(data);
      graph.link();
      arena = null;
      return graph;
    } finally {
      if (arena != null) {
        arena.close();
      }
    }
  }

  private void readModel(MemorySegment data) {
    ProtobufReader model = new ProtobufReader(file, "ModelProto", data, 0, data.byteSize());
    boolean found = false;
    while (model.next()) {
      if (model.field() == 7) {
        readGraph(data, model.message("GraphProto"));
        found = true;
      } else {
        model.skip();
      }
    }
    if (!found) {
      throw new ModelFormatException(
          file,
          "ModelProto.graph",
          ModelFormatException.NO_OFFSET,
          "is missing; the file is no ONNX model");
    }
  }

  private void readGraph(MemorySegment data, ProtobufReader graph) {
    while (graph.next()) {
      switch (graph.field()) {
        case 1 -> {
          bounded(graph, nodes.size());
          nodes.add(readNode(data, graph.message("NodeProto")));
        }
        case 5 -> {
          bounded(graph, constants.size());
          OnnxTensor tensor = OnnxTensor.read(file, data, graph.message("TensorProto"));
          if (constants.put(tensor.name(), tensor) != null) {
            throw tensor.refused("name", "stands in the graph twice");
          }
        }
        case 12 -> {
          bounded(graph, outputs.size());
          outputs.add(readName(graph.message("ValueInfoProto")));
        }
        default -> graph.skip();
      }
    }
  }

  private static void bounded(ProtobufReader reader, int count) {
    if (count == NODES_MAX) {
      throw reader.refused(reader.position(), "stands there more than " + NODES_MAX + " times");
    }
  }

  private static String readName(ProtobufReader value) {
    String name = "";
    while (value.next()) {
      if (value.field() == 1) {
        name = value.text(NAME_BYTES_MAX);
      } else {
        value.skip();
      }
    }
    return name;
  }

  private OnnxNode readNode(MemorySegment data, ProtobufReader proto) {
    List<String> inputs = new ArrayList<>();
    List<String> made = new ArrayList<>();
    String name = "";
    String operator = "";
    Map<String, Long> integers = new HashMap<>();
    Map<String, Float> reals = new HashMap<>();
    Map<String, OnnxTensor> tensors = new HashMap<>();
    while (proto.next()) {
      if (inputs.size() + made.size() > VALUES_MAX) {
        throw proto.refused(
            proto.position(), "has more than " + VALUES_MAX + " inputs and outputs");
      }
      switch (proto.field()) {
        case 1 -> inputs.add(proto.text(NAME_BYTES_MAX));
        case 2 -> made.add(proto.text(NAME_BYTES_MAX));
        case 3 -> name = proto.text(NAME_BYTES_MAX);
        case 4 -> operator = proto.text(NAME_BYTES_MAX);
        case 5 -> readAttribute(data, proto.message("AttributeProto"), integers, reals, tensors);
        default -> proto.skip();
      }
    }
    return new OnnxNode(operator, name, inputs, made, integers, reals, tensors);
  }

  private void readAttribute(
      MemorySegment data,
      ProtobufReader proto,
      Map<String, Long> integers,
      Map<String, Float> reals,
      Map<String, OnnxTensor> tensors) {
    String name = "";
    Optional<Long> integer = Optional.empty();
    Optional<Float> real = Optional.empty();
    Optional<OnnxTensor> tensor = Optional.empty();
    while (proto.next()) {
      switch (proto.field()) {
        case 1 -> name = proto.text(NAME_BYTES_MAX);
        case 2 -> real = Optional.of(proto.fixed32());
        case 3 -> integer = Optional.of(proto.varint());
        case 5 -> tensor = Optional.of(OnnxTensor.read(file, data, proto.message("TensorProto")));
        default -> proto.skip();
      }
    }
    String key = name;
    integer.ifPresent(value -> integers.put(key, value));
    real.ifPresent(value -> reals.put(key, value));
    tensor.ifPresent(value -> tensors.put(key, value));
  }

  /// Notes who makes and reads each value; the values of Constant nodes, and of Identity nodes over
  /// constants, count as constants.
  private void link() {
    for (OnnxNode node : nodes) {
      for (String output : node.outputs()) {
        makers.put(output, node);
      }
      for (String input : node.inputs()) {
        readers.computeIfAbsent(input, name -> new ArrayList<>()).add(node);
      }
      if (node.outputs().size() == 1) {
        Optional<OnnxTensor> value =
            switch (node.operator()) {
              case "Constant" -> Optional.ofNullable(node.tensors().get("value"));
              case "Identity" -> node.inputs().stream().findFirst().flatMap(this::constant);
              default -> Optional.empty();
            };
        value.ifPresent(tensor -> constants.putIfAbsent(node.outputs().getFirst(), tensor));
      }
    }
  }

  /// The name of the file in errors.
  public String file() {
    return file;
  }

  /// All nodes, in the file's order, in which makers come before readers.
  public List<OnnxNode> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /// The constant tensors by the names of their values: initializers and the results of Constant
  /// nodes.
  public Map<String, OnnxTensor> constants() {
    return Collections.unmodifiableMap(constants);
  }

  /// The names of the graph's results.
  public List<String> outputs() {
    return Collections.unmodifiableList(outputs);
  }

  /// The constant of a value, if it is one.
  public Optional<OnnxTensor> constant(String value) {
    return Optional.ofNullable(constants.get(value));
  }

  /// The node that makes a value; none makes a graph input or an initializer.
  public Optional<OnnxNode> maker(String value) {
    return Optional.ofNullable(makers.get(value));
  }

  /// The nodes that read a value.
  public List<OnnxNode> readers(String value) {
    return Collections.unmodifiableList(readers.getOrDefault(value, List.of()));
  }

  @Override
  public void close() {
    arena.close();
  }
}
