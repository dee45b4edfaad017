package io.rigmesh.worker.tensor;

import java.util.Arrays;

/// A dense tensor of binary32 values, row-major and contiguous: element `(i, j, k)` of shape `(A,
/// B, C)` lies at `offset + (i * B + j) * C + k` of [#data()].
///
/// Several tensors may look at one array: [#rows] and [#reshape] are views and copy nothing. Not
/// thread-safe: whoever writes a tensor owns it for that time.
public final class Tensor {
  private final float[] data;
  private final int offset;
  private final int[] shape;
  private final int size;

  private Tensor(float[] data, int offset, int[] shape) {
    this.size = sizeOf(shape);
    if (offset < 0 || (long) offset + size > data.length) {
      throw new IllegalArgumentException(
          "A tensor of shape "
              + Arrays.toString(shape)
              + " from element "
              + offset
              + " does not fit in an array of "
              + data.length
              + " elements.");
    }
    this.data = data;
    this.offset = offset;
    this.shape = shape;
  }

  /// A new tensor of `shape` filled with +0.
  public static Tensor zeros(int... shape) {
    return new Tensor(new float[sizeOf(shape)], 0, shape.clone());
  }

  /// A tensor that looks at `data`, which is not copied and must hold exactly the elements of
  /// `shape`.
  public static Tensor of(float[] data, int... shape) {
    Tensor tensor = new Tensor(data, 0, shape.clone());
    if (tensor.size != data.length) {
      throw new IllegalArgumentException(
          "Shape "
              + Arrays.toString(shape)
              + " has "
              + tensor.size
              + " elements, but the array has "
              + data.length
              + ".");
    }
    return tensor;
  }

  /// A tensor of `shape` that looks at `data` from element `offset`; nothing is copied.
  public static Tensor view(float[] data, int offset, int... shape) {
    return new Tensor(data, offset, shape.clone());
  }

  /// The element type.
  public DType dtype() {
    return DType.F32;
  }

  /// The array under this tensor, shared with every view of it; the first element is at
  /// [#offset()].
  public float[] data() {
    return data;
  }

  /// Where in [#data()] the first element lies.
  public int offset() {
    return offset;
  }

  /// The number of elements.
  public int size() {
    return size;
  }

  /// The number of dimensions.
  public int rank() {
    return shape.length;
  }

  /// The length of dimension `axis`.
  public int dim(int axis) {
    return shape[axis];
  }

  /// A copy of the shape.
  public int[] shape() {
    return shape.clone();
  }

  /// The length of the last dimension.
  public int cols() {
    return shape[shape.length - 1];
  }

  /// The product of all dimensions but the last: how many rows of [#cols()] there are.
  public int rowCount() {
    return size / cols();
  }

  /// Whether the two shapes are the same.
  public boolean sameShape(Tensor other) {
    return Arrays.equals(shape, other.shape);
  }

  /// The element at a row-major index.
  public float get(int index) {
    return data[offset + checked(index)];
  }

  /// Sets the element at a row-major index.
  public void set(int index, float value) {
    data[offset + checked(index)] = value;
  }

  /// The element of row `row` and column `col`, the rows being counted over all leading dimensions.
  public float get(int row, int col) {
    return get(row * cols() + col);
  }

  /// A view of the rows `from` (included) to `to` (excluded), with shape `(to - from, cols)`.
  public Tensor rows(int from, int to) {
    if (from < 0 || to <= from || to > rowCount()) {
      throw new IllegalArgumentException(
          "Rows " + from + " to " + to + " are not all in " + this + ", which has " + rowCount());
    }
    return new Tensor(data, offset + from * cols(), new int[] {to - from, cols()});
  }

  /// A view with another shape of as many elements.
  public Tensor reshape(int... newShape) {
    if (sizeOf(newShape) != size) {
      throw new IllegalArgumentException(
          this + " cannot be seen as shape " + Arrays.toString(newShape) + ": other element count");
    }
    return new Tensor(data, offset, newShape.clone());
  }

  /// A new tensor with the same shape and values and an array of its own.
  public Tensor copy() {
    return new Tensor(toArray(), 0, shape);
  }

  /// A new array with the elements in row-major order.
  public float[] toArray() {
    return Arrays.copyOfRange(data, offset, offset + size);
  }

  /// Copies the elements of `source`, which has as many, into this tensor.
  public void copyFrom(Tensor source) {
    if (source.size != size) {
      throw new IllegalArgumentException(source + " cannot be copied into " + this);
    }
    System.arraycopy(source.data, source.offset, data, offset, size);
  }

  /// Sets every element to `value`.
  public void fill(float value) {
    Arrays.fill(data, offset, offset + size, value);
  }

  @Override
  public String toString() {
    return "f32" + Arrays.toString(shape);
  }

  private int checked(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("Element " + index + " of " + this);
    }
    return index;
  }

  private static int sizeOf(int[] shape) {
    if (shape.length == 0) {
      throw new IllegalArgumentException("A tensor has at least one dimension.");
    }
    long size = 1;
    for (int length : shape) {
      if (length < 1) {
        throw new IllegalArgumentException(
            "Every dimension is at least 1, unlike in shape " + Arrays.toString(shape) + ".");
      }
      size *= length;
      if (size > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "Shape " + Arrays.toString(shape) + " has more elements than one array can hold.");
      }
    }
    return (int) size;
  }
}
