package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;

/// A weight `(columns, depth)` on the device, in the layout of its profile's kernels; `columns` is
/// what docs/numerics.md calls N.
///
/// @param profile the arithmetic
/// @param address i8-v1: bytes, row n at `n * pitch`; f32-v1: binary32, element (n, k) at `k *
///   pitch + n`
/// @param scales i8-v1: `(columns)` binary32; f32-v1: 0
/// @param columns N, over all weights that were joined to this one
/// @param depth K
/// @param pitch in elements; i8-v1: at least depth, a multiple of 16, zeros behind the row; f32-v1:
///   at least columns, a multiple of 4
record DeviceMatrix(Profile profile, long address, long scales, int columns, int depth, int pitch) {
  private static final int I8_PITCH = 16;
  private static final int F32_PITCH = 4;

  /// Takes the memory for one.
  static DeviceMatrix take(Arena arena, Profile profile, int columns, int depth) {
    if (profile == Profile.I8_V1) {
      int pitch = i8Pitch(depth);
      return new DeviceMatrix(
          profile,
          arena.take((long) columns * pitch),
          arena.takeWords(columns),
          columns,
          depth,
          pitch);
    }
    int pitch = (columns + F32_PITCH - 1) / F32_PITCH * F32_PITCH;
    return new DeviceMatrix(
        profile, arena.takeWords((long) depth * pitch), 0, columns, depth, pitch);
  }

  /// How far rows of `depth` bytes lie apart.
  static int i8Pitch(int depth) {
    return (depth + I8_PITCH - 1) / I8_PITCH * I8_PITCH;
  }

  /// Behind its last element.
  long addressEnd() {
    return address + (profile == Profile.I8_V1 ? (long) columns * pitch : 4L * depth * pitch);
  }

  /// How many bytes a use of it reads.
  long bytes() {
    return profile == Profile.I8_V1 ? (long) columns * pitch + 4L * columns : 4L * depth * columns;
  }
}
