package io.rigmesh.worker.llama;

import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;

/// One tensor of a model, not read yet. Reading is safe for several threads at once, until the
/// [LlamaWeights] it came from are closed.
public final class LlamaWeight {
  private final String name;
  private final ElementType type;
  private final List<Integer> shape;
  private final MemorySegment bytes;
  private final Supplier<Tensor> reader;

  LlamaWeight(
      String name,
      ElementType type,
      List<Integer> shape,
      MemorySegment bytes,
      Supplier<Tensor> reader) {
    this.name = name;
    this.type = type;
    this.shape = List.copyOf(shape);
    this.bytes = bytes;
    this.reader = reader;
  }

  /// The name that Hugging Face gives it in a model with a head, whatever the files call it.
  public String name() {
    return name;
  }

  /// How its elements are stored: F32, F16 or BF16.
  public ElementType type() {
    return type;
  }

  /// Its dimensions, outermost first: those that the config asks for.
  public List<Integer> shape() {
    return shape;
  }

  /// How many elements it has.
  public int elements() {
    return shape.stream().reduce(1, Math::multiplyExact);
  }

  /// Its elements as they are stored, little-endian and row-major. They have not been looked
  /// through for NaN and infinity, which [#read] does.
  public MemorySegment bytes() {
    return bytes;
  }

  /// Its elements as binary32, each exactly what is stored. Of a folder this is a new tensor with
  /// every call; of [LlamaParameters] it is theirs.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException when an element is NaN or infinite
  public Tensor read() {
    return reader.get();
  }

  @Override
  public String toString() {
    return name + " " + type + shape;
  }
}
