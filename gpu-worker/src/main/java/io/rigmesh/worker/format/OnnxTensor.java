package io.rigmesh.worker.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A constant tensor of an ONNX graph, row-major. Its elements stay in the mapped file until they
/// are asked for, so it must not outlive its [OnnxGraph].
public final class OnnxTensor {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int DIMENSIONS_MAX = 16;
  private static final int SMALL_MAX = 64;

  // TensorProto.DataType
  private static final int TYPE_FLOAT = 1;
  private static final int TYPE_INT64 = 7;
  private static final int TYPE_FLOAT16 = 10;
  private static final int TYPE_BFLOAT16 = 16;

  private final String file;
  private final MemorySegment data;
  private final String name;
  private final long position;
  private final int type;
  private final List<Long> shape;
  private final long elements;
  private final long dataOffset;
  private final long dataBytes;
  private final List<Long> int64Data;

  private OnnxTensor(Fields fields, String file, MemorySegment data, long elements) {
    this.file = file;
    this.data = data;
    this.name = fields.name;
    this.position = fields.position;
    this.type = fields.type;
    this.shape = List.copyOf(fields.shape);
    this.elements = elements;
    this.dataOffset = fields.dataOffset;
    this.dataBytes = fields.dataBytes;
    this.int64Data = List.copyOf(fields.int64Data);
  }

  /// What is gathered while a TensorProto is walked.
  private static final class Fields {
    private String name = "";
    private long position;
    private int type;
    private final List<Long> shape = new ArrayList<>();
    private long dataOffset;
    private long dataBytes;
    private final List<Long> int64Data = new ArrayList<>();
    private boolean external;
  }

  static OnnxTensor read(String file, MemorySegment data, ProtobufReader proto) {
    Fields fields = new Fields();
    fields.position = proto.position();
    while (proto.next()) {
      switch (proto.field()) {
        case 1 ->
            proto.varints(dimension -> {
              if (fields.shape.size() == DIMENSIONS_MAX || dimension < 0) {
                throw proto.refused(
                    proto.position(),
                    "is a tensor with a negative dimension or more than " + DIMENSIONS_MAX);
              }
              fields.shape.add(dimension);
            });
        case 2 -> fields.type = (int) proto.varint();
        // float_data, when packed, has the layout of raw_data.
        case 4, 9 -> {
          fields.dataBytes = proto.bytes();
          fields.dataOffset = proto.position();
          proto.skipBytes(fields.dataBytes);
        }
        case 7 ->
            proto.varints(value -> {
              if (fields.int64Data.size() < SMALL_MAX) {
                fields.int64Data.add(value);
              }
            });
        case 8 -> fields.name = proto.text(OnnxGraph.NAME_BYTES_MAX);
        case 14 -> fields.external = proto.varint() != 0;
        default -> proto.skip();
      }
    }
    if (fields.external) {
      throw new ModelFormatException(
          file,
          fields.name + ".data_location",
          fields.position,
          "lies in another file; export the model again with its weights inside");
    }
    long elements = 1;
    for (long dimension : fields.shape) {
      if (dimension != 0 && elements > Long.MAX_VALUE / dimension) {
        throw new ModelFormatException(
            file, fields.name + ".dims", fields.position, "has more elements than a file can hold");
      }
      elements *= dimension;
    }
    return new OnnxTensor(fields, file, data, elements);
  }

  /// The name; empty for the value of a Constant node.
  public String name() {
    return name;
  }

  /// The dimensions, outermost first.
  public List<Long> shape() {
    return shape;
  }

  /// The byte of the file where the tensor starts.
  public long position() {
    return position;
  }

  /// Whether its elements are floats of any width that is read.
  public boolean isFloat() {
    return type == TYPE_FLOAT || type == TYPE_FLOAT16 || type == TYPE_BFLOAT16;
  }

  /// The elements of a float, float16 or bfloat16 tensor, converted exactly.
  ///
  /// @throws ModelFormatException when it is of another type, its data does not have the length its
  ///   shape asks for, or an element is not finite
  public float[] floats() {
    int width =
        switch (type) {
          case TYPE_FLOAT -> 4;
          case TYPE_FLOAT16, TYPE_BFLOAT16 -> 2;
          default ->
              throw refused(
                  "data_type",
                  "is "
                      + type
                      + ", must be FLOAT, FLOAT16 or BFLOAT16; export the model without quantisation");
        };
    if (dataBytes % width != 0
        || dataBytes / width != elements
        || elements > Integer.MAX_VALUE - 8) {
      throw refused(
          "raw_data",
          "has "
              + dataBytes
              + " bytes, but the shape "
              + shape
              + " needs "
              + width
              + " per element");
    }
    float[] values = new float[(int) elements];
    for (int i = 0; i < values.length; i++) {
      long at = dataOffset + (long) width * i;
      float value =
          switch (type) {
            case TYPE_FLOAT -> data.get(FLOAT, at);
            case TYPE_FLOAT16 -> Float.float16ToFloat(data.get(SHORT, at));
            default -> Float.intBitsToFloat(data.get(SHORT, at) << 16);
          };
      if (!Float.isFinite(value)) {
        throw new ModelFormatException(
            file, name + "[" + i + "]", at, "is " + value + ", every weight must be finite");
      }
      values[i] = value;
    }
    return values;
  }

  /// The elements of a short INT64 tensor, such as the shape of a Reshape; empty when it is none.
  public List<Long> smallIntegers() {
    if (type != TYPE_INT64 || elements > SMALL_MAX) {
      return List.of();
    }
    if (int64Data.size() == elements) {
      return int64Data;
    }
    List<Long> values = new ArrayList<>();
    if (dataBytes == 8 * elements) {
      for (int i = 0; i < elements; i++) {
        values.add(data.get(LONG, dataOffset + 8L * i));
      }
    }
    return values;
  }

  /// The exception of a tensor that its reader cannot use.
  public ModelFormatException refused(String field, String problem) {
    return new ModelFormatException(file, name + "." + field, position, problem);
  }
}
