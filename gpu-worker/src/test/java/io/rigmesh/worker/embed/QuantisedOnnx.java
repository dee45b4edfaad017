package io.rigmesh.worker.embed;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The dynamically quantised form of an ONNX model, as onnxruntime's `quantize_dynamic` makes it by
/// default: every MatMul by a constant matrix becomes MatMulInteger of the matrix in int8 (one
/// scale, absmax / 127) and of the other side in uint8 (DynamicQuantizeLinear: scale and zero point
/// of the whole tensor at every run), cast back and multiplied by both scales.
public final class QuantisedOnnx {
  private static final int MODEL_GRAPH = 7;
  private static final int GRAPH_NODE = 1;
  private static final int GRAPH_INITIALIZER = 5;
  private static final int GRAPH_INPUT = 11;
  private static final int NODE_INPUT = 1;
  private static final int NODE_OUTPUT = 2;
  private static final int NODE_NAME = 3;
  private static final int NODE_OP = 4;
  private static final int NODE_ATTRIBUTE = 5;
  private static final int TENSOR_DIMS = 1;
  private static final int TENSOR_TYPE = 2;
  private static final int TENSOR_NAME = 8;
  private static final int TENSOR_RAW = 9;
  private static final int FLOAT = 1;
  private static final int INT8 = 3;

  private final UnknownFieldSet graph;
  private final Map<String, UnknownFieldSet> tensors = new HashMap<>();
  private final List<ByteString> nodes = new ArrayList<>();
  private final List<ByteString> added = new ArrayList<>();
  private final Set<String> replaced = new HashSet<>();
  private final Set<String> quantisedInputs = new HashSet<>();

  private QuantisedOnnx(UnknownFieldSet graph) throws InvalidProtocolBufferException {
    this.graph = graph;
    for (ByteString bytes : graph.getField(GRAPH_INITIALIZER).getLengthDelimitedList()) {
      UnknownFieldSet tensor = UnknownFieldSet.parseFrom(bytes);
      tensors.put(text(tensor, TENSOR_NAME, 0), tensor);
    }
  }

  /// The quantised form of an exported model.
  public static byte[] of(byte[] onnx) {
    try {
      UnknownFieldSet model = UnknownFieldSet.parseFrom(onnx);
      ByteString graph = model.getField(MODEL_GRAPH).getLengthDelimitedList().getFirst();
      UnknownFieldSet quantised = new QuantisedOnnx(UnknownFieldSet.parseFrom(graph)).quantised();
      return UnknownFieldSet.newBuilder(model)
          .clearField(MODEL_GRAPH)
          .mergeField(MODEL_GRAPH, field(quantised.toByteString()))
          .build()
          .toByteArray();
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException(e);
    }
  }

  private UnknownFieldSet quantised() throws InvalidProtocolBufferException {
    for (ByteString bytes : graph.getField(GRAPH_NODE).getLengthDelimitedList()) {
      UnknownFieldSet node = UnknownFieldSet.parseFrom(bytes);
      boolean multiplies = text(node, NODE_OP, 0).equals("MatMul");
      UnknownFieldSet matrix = multiplies ? tensors.get(text(node, NODE_INPUT, 1)) : null;
      if (matrix == null) {
        nodes.add(bytes);
      } else {
        multiply(node, matrix);
      }
    }
    UnknownFieldSet.Builder result = UnknownFieldSet.newBuilder(graph);
    result.clearField(GRAPH_NODE).mergeField(GRAPH_NODE, field(nodes));
    List<ByteString> kept = new ArrayList<>(added);
    tensors.forEach((name, tensor) -> {
      if (!replaced.contains(name)) {
        kept.add(tensor.toByteString());
      }
    });
    result.clearField(GRAPH_INITIALIZER).mergeField(GRAPH_INITIALIZER, field(kept));
    // Some exports list their constants as inputs too; the replaced ones are no more.
    List<ByteString> inputs = new ArrayList<>();
    for (ByteString input : graph.getField(GRAPH_INPUT).getLengthDelimitedList()) {
      if (!replaced.contains(text(UnknownFieldSet.parseFrom(input), 1, 0))) {
        inputs.add(input);
      }
    }
    return result.clearField(GRAPH_INPUT).mergeField(GRAPH_INPUT, field(inputs)).build();
  }

  private void multiply(UnknownFieldSet node, UnknownFieldSet matrix) {
    String input = text(node, NODE_INPUT, 0);
    String output = text(node, NODE_OUTPUT, 0);
    String name = text(matrix, TENSOR_NAME, 0);
    if (replaced.add(name)) {
      addMatrix(name, matrix);
    }
    if (quantisedInputs.add(input)) {
      nodes.add(
          node(
              "DynamicQuantizeLinear",
              List.of(input),
              List.of(input + "_q", input + "_scale", input + "_zero")));
    }
    List<String> factors = List.of(input + "_q", name + "_q", input + "_zero", name + "_zero");
    nodes.add(node("MatMulInteger", factors, List.of(output + "_sums")));
    UnknownFieldSet toFloat =
        UnknownFieldSet.newBuilder()
            .mergeField(1, field(ByteString.copyFromUtf8("to")))
            .mergeField(3, number(FLOAT))
            .mergeField(20, number(2))
            .build();
    nodes.add(
        node("Cast", List.of(output + "_sums"), List.of(output + "_floats"))
            .concat(
                UnknownFieldSet.newBuilder()
                    .mergeField(NODE_ATTRIBUTE, field(toFloat.toByteString()))
                    .build()
                    .toByteString()));
    nodes.add(node("Mul", List.of(input + "_scale", name + "_scale"), List.of(output + "_scales")));
    nodes.add(node("Mul", List.of(output + "_floats", output + "_scales"), List.of(output)));
  }

  private void addMatrix(String name, UnknownFieldSet matrix) {
    ByteBuffer raw =
        matrix
            .getField(TENSOR_RAW)
            .getLengthDelimitedList()
            .getFirst()
            .asReadOnlyByteBuffer()
            .order(ByteOrder.LITTLE_ENDIAN);
    int size = raw.remaining() / Float.BYTES;
    float amax = 0f;
    for (int i = 0; i < size; i++) {
      amax = Math.max(amax, Math.abs(raw.getFloat(i * Float.BYTES)));
    }
    float scale = amax / 127;
    byte[] values = new byte[size];
    for (int i = 0; i < size; i++) {
      values[i] = (byte) Math.rint(raw.getFloat(i * Float.BYTES) / scale);
    }
    UnknownFieldSet.Field dims = matrix.getField(TENSOR_DIMS);
    UnknownFieldSet.Field scalar = UnknownFieldSet.Field.getDefaultInstance();
    added.add(tensor(name + "_q", INT8, dims, values));
    added.add(tensor(name + "_zero", INT8, scalar, new byte[1]));
    byte[] scaleBytes = new byte[Float.BYTES];
    ByteBuffer.wrap(scaleBytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(scale);
    added.add(tensor(name + "_scale", FLOAT, scalar, scaleBytes));
  }

  private static ByteString tensor(
      String name, int type, UnknownFieldSet.Field dims, byte[] values) {
    return UnknownFieldSet.newBuilder()
        .mergeField(TENSOR_DIMS, dims)
        .mergeField(TENSOR_TYPE, number(type))
        .mergeField(TENSOR_NAME, field(ByteString.copyFromUtf8(name)))
        .mergeField(TENSOR_RAW, field(ByteString.copyFrom(values)))
        .build()
        .toByteString();
  }

  private static ByteString node(String op, List<String> inputs, List<String> outputs) {
    return UnknownFieldSet.newBuilder()
        .mergeField(NODE_INPUT, field(inputs.stream().map(ByteString::copyFromUtf8).toList()))
        .mergeField(NODE_OUTPUT, field(outputs.stream().map(ByteString::copyFromUtf8).toList()))
        .mergeField(NODE_NAME, field(ByteString.copyFromUtf8(op + " of " + outputs.getFirst())))
        .mergeField(NODE_OP, field(ByteString.copyFromUtf8(op)))
        .build()
        .toByteString();
  }

  private static UnknownFieldSet.Field field(ByteString value) {
    return UnknownFieldSet.Field.newBuilder().addLengthDelimited(value).build();
  }

  private static UnknownFieldSet.Field field(List<ByteString> values) {
    UnknownFieldSet.Field.Builder field = UnknownFieldSet.Field.newBuilder();
    values.forEach(field::addLengthDelimited);
    return field.build();
  }

  private static UnknownFieldSet.Field number(long value) {
    return UnknownFieldSet.Field.newBuilder().addVarint(value).build();
  }

  private static String text(UnknownFieldSet message, int field, int index) {
    List<ByteString> values = message.getField(field).getLengthDelimitedList();
    return index < values.size() ? values.get(index).toStringUtf8() : "";
  }
}
