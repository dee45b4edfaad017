package io.rigmesh.worker.cuda;

import java.util.Locale;

/// What a CUDA device can run.
///
/// @param major of its compute capability
/// @param minor of its compute capability
/// @param multiprocessors how many
/// @param sharedBytesMax the most shared memory that a block can ask for
public record Architecture(int major, int minor, int multiprocessors, int sharedBytesMax) {
  /// The least that the kernels run on: Turing.
  public static final Architecture LEAST = new Architecture(7, 5, 1, 64 << 10);

  /// An NVIDIA H100 or H200.
  public static final Architecture HOPPER = new Architecture(9, 0, 132, 227 << 10);

  /// Whether PTX for `compute_major minor` runs here.
  public boolean runs(int otherMajor, int otherMinor) {
    return major > otherMajor || (major == otherMajor && minor >= otherMinor);
  }

  /// Whether the integer tensor cores of Ampere and later are here, which the tile kernels use.
  public boolean hasInt8Tiles() {
    return runs(8, 0);
  }

  /// Whether `wgmma` is here, the products of warp groups. PTX for `compute_90a` runs on compute
  /// capability 9.0 alone, not on later ones.
  public boolean hasWarpGroupProducts() {
    return major == 9 && minor == 0;
  }

  /// How much may be read ahead into the second-level cache while a launch waits for something
  /// else: what the memory brings in the time of an attention, where the cache is several times as
  /// large. Ampere's and later devices for servers, and all since Ada, have 24 MB and more; others
  /// would lose what they are about to use.
  public int readAheadBytes() {
    if (major >= 9) {
      return 16 << 20;
    }
    return major == 8 && (minor == 0 || minor == 9) ? 8 << 20 : 0;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "compute capability %d.%d with %d multiprocessors",
        major,
        minor,
        multiprocessors);
  }
}
