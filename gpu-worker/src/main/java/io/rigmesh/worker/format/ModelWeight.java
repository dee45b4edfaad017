package io.rigmesh.worker.format;

import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// One tensor of a model, not read yet. Reading is safe for several threads at once, until what it
/// came from is closed.
public final class ModelWeight {
  private final String name;
  private final ElementType type;
  private final List<Integer> shape;
  private final MemorySegment bytes;
  private final Supplier<Tensor> reader;

  private ModelWeight(
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

  /// A tensor of a folder.
  ///
  /// @param name what the model calls it
  /// @param stored what the files call it
  /// @param shape what it must have
  /// @throws ModelFormatException when the folder lacks it, or its shape or type is another
  public static ModelWeight stored(ModelFolder folder, String name, String stored, int... shape) {
    long[] dimensions = new long[shape.length];
    for (int i = 0; i < shape.length; i++) {
      dimensions[i] = shape[i];
    }
    StoredTensor tensor = folder.floatTensor(stored, dimensions);
    return new ModelWeight(
        name,
        tensor.type(),
        sizes(shape),
        folder.bytes(stored),
        () -> Tensor.of(folder.floats(stored, dimensions), shape));
  }

  /// A tensor that is in memory already.
  public static ModelWeight of(String name, Tensor tensor) {
    int[] shape = new int[tensor.rank()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.dim(i);
    }
    MemorySegment bytes =
        MemorySegment.ofArray(tensor.data())
            .asSlice((long) tensor.offset() * Float.BYTES, (long) tensor.size() * Float.BYTES);
    return new ModelWeight(name, ElementType.F32, sizes(shape), bytes, () -> tensor);
  }

  private static List<Integer> sizes(int... shape) {
    List<Integer> sizes = new ArrayList<>();
    for (int size : shape) {
      sizes.add(size);
    }
    return sizes;
  }

  /// What the model calls it, whatever the files do.
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
  /// every call; of what was in memory it is that.
  ///
  /// @throws ModelFormatException when an element is NaN or infinite
  public Tensor read() {
    return reader.get();
  }

  @Override
  public String toString() {
    return name + " " + type + shape;
  }
}
