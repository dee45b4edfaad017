package io.rigmesh.worker.format;

import java.util.List;
import java.util.Map;

/// One operation of an ONNX graph.
///
/// @param operator its type, for instance `MatMul`
/// @param name its name, possibly empty
/// @param inputs the names of the values it reads; empty for an optional one left out
/// @param outputs the names of the values it makes
/// @param integers its integer attributes, among them the first of a list
/// @param reals its float attributes
/// @param tensors its tensor attributes, for instance `value` of a Constant
public record OnnxNode(
    String operator,
    String name,
    List<String> inputs,
    List<String> outputs,
    Map<String, Long> integers,
    Map<String, Float> reals,
    Map<String, OnnxTensor> tensors) {

  public OnnxNode {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    integers = Map.copyOf(integers);
    reals = Map.copyOf(reals);
    tensors = Map.copyOf(tensors);
  }

  /// The name, or the operator of a node without one, for messages.
  public String label() {
    return name.isEmpty() ? operator : name;
  }
}
