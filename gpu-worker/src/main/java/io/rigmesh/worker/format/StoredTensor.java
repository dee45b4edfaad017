package io.rigmesh.worker.format;

import java.util.List;

/// Where one tensor lies in a file: row-major, its last dimension contiguous.
///
/// @param name the tensor's name, as in the Hugging Face checkpoint
/// @param type the type of its elements
/// @param shape its dimensions, outermost first; empty for a scalar
/// @param offset the file's byte where its first element starts
/// @param bytes its length in bytes: the product of the shape and the element size
public record StoredTensor(
    String name, ElementType type, List<Long> shape, long offset, long bytes) {

  public StoredTensor {
    shape = List.copyOf(shape);
  }

  /// How many elements it has.
  public long elements() {
    return bytes / type.bytes();
  }
}
