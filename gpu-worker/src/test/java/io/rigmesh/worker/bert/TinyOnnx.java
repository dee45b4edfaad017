package io.rigmesh.worker.bert;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/// Writes ONNX files with the graph of a small BERT as exporters write it, in several of their
/// dialects. Weights are random; [#weights()] tells what the import must find, by Hugging Face
/// name, linear weights as `(out, in)`.
final class TinyOnnx {

  static final BertConfig CONFIG = new BertConfig(300, 8, 2, 2, 16, 32, 2, 1e-12f);

  /// How an exporter writes a linear layer.
  enum LinearDialect {
    /// MatMul by an anonymous constant `(in, out)`, then Add.
    FOLDED,
    /// MatMul by the Transpose of the named weight `(out, in)`, then Add.
    TRANSPOSED,
    /// Gemm by the named weight `(out, in)` with transB.
    GEMM
  }

  private final LinearDialect dialect;
  private final String prefix;
  private final Map<String, float[]> weights = new TreeMap<>();
  private final List<byte[]> nodes = new ArrayList<>();
  private final Map<String, byte[]> initializers = new LinkedHashMap<>();
  private int anonymous = 100;

  /// Changes nodes' operators, for graphs that must be refused.
  private UnaryOperator<String> operators = operator -> operator;

  TinyOnnx(LinearDialect dialect, String prefix) {
    this.dialect = dialect;
    this.prefix = prefix;
  }

  TinyOnnx withOperators(UnaryOperator<String> change) {
    operators = change;
    return this;
  }

  Map<String, float[]> weights() {
    return weights;
  }

  byte[] bytes() {
    Random random = new Random(5);
    BertTensors.shapes(CONFIG)
        .forEach((name, shape) -> {
          int size = 1;
          for (long dimension : shape) {
            size *= (int) dimension;
          }
          float[] values = new float[size];
          for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
          }
          weights.put(name, values);
          String part = name.substring(0, Math.max(0, name.lastIndexOf('.')));
          if (shape.length == 2 && name.startsWith("encoder.")) {
            linear(part, name, values, shape);
          } else {
            initializers.put(prefix + name, floats(prefix + name, values, shape));
          }
        });
    constant("heads", 2);
    constant("headSize", 4);
    node("Concat", List.of("batch", "length", "heads", "headSize"), "shape", 0);
    node("Reshape", List.of("anything", "shape"), "split", 0);
    initializers.put("epsilon", floats("epsilon", new float[] {1e-12f}));
    node("Add", List.of("variance", "epsilon"), "sum", 0);
    node("Sqrt", List.of("sum"), "deviation", 0);
    node("Erf", List.of("x"), "erf", 0);
    byte[] graph =
        message(out -> {
          for (byte[] node : nodes) {
            out.writeByteArray(1, node);
          }
          for (byte[] initializer : initializers.values()) {
            out.writeByteArray(5, initializer);
          }
          out.writeByteArray(12, message(value -> value.writeString(1, "last_hidden_state")));
        });
    return message(out -> {
      out.writeInt64(1, 8);
      out.writeByteArray(7, graph);
    });
  }

  private void linear(String part, String name, float[] values, long[] shape) {
    String bias = prefix + part + ".bias";
    String product = "/" + part + "/MatMul_output_0";
    switch (dialect) {
      case FOLDED -> {
        String folded = "onnx::MatMul_" + anonymous++;
        float[] turned = new float[values.length];
        for (int row = 0; row < shape[0]; row++) {
          for (int column = 0; column < shape[1]; column++) {
            turned[column * (int) shape[0] + row] = values[row * (int) shape[1] + column];
          }
        }
        initializers.put(folded, floats(folded, turned, shape[1], shape[0]));
        node("MatMul", List.of("x", folded), product, 0);
        node("Add", List.of(bias, product), part, 0);
      }
      case TRANSPOSED -> {
        initializers.put(prefix + name, floats(prefix + name, values, shape));
        node("Transpose", List.of(prefix + name), part + "/turned", 0);
        node("MatMul", List.of("x", part + "/turned"), product, 0);
        node("Add", List.of(product, bias), part, 0);
      }
      case GEMM -> {
        initializers.put(prefix + name, floats(prefix + name, values, shape));
        node("Gemm", List.of("x", prefix + name, bias), part, 1);
      }
    }
  }

  private void constant(String name, long value) {
    byte[] tensor =
        message(out -> {
          out.writeInt64(1, 1);
          out.writeInt32(2, 7);
          out.writeByteArray(
              9, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        });
    nodes.add(
        message(out -> {
          out.writeString(2, name);
          out.writeString(4, "Constant");
          out.writeByteArray(
              5,
              message(attribute -> {
                attribute.writeString(1, "value");
                attribute.writeByteArray(5, tensor);
              }));
        }));
  }

  private void node(String operator, List<String> inputs, String output, int transB) {
    nodes.add(
        message(out -> {
          for (String input : inputs) {
            out.writeString(1, input);
          }
          out.writeString(2, output);
          out.writeString(3, "/" + output);
          out.writeString(4, operators.apply(operator));
          if (transB == 1) {
            out.writeByteArray(
                5,
                message(attribute -> {
                  attribute.writeString(1, "transB");
                  attribute.writeInt64(3, 1);
                }));
          }
        }));
  }

  static byte[] floats(String name, float[] values, long... shape) {
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return message(out -> {
      for (long dimension : shape) {
        out.writeInt64(1, dimension);
      }
      out.writeInt32(2, 1);
      out.writeString(8, name);
      out.writeByteArray(9, raw.array());
    });
  }

  private interface Content {
    void write(CodedOutputStream out) throws IOException;
  }

  private static byte[] message(Content content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      content.write(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
