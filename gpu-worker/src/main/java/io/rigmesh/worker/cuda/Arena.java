package io.rigmesh.worker.cuda;

/// One piece of device memory that is given out from its start and never taken back, so a worker
/// that runs allocates nothing.
///
/// An arena without memory measures: the same code that lays a model out in it tells how many bytes
/// that takes.
public final class Arena {
  private static final long ALIGNMENT = 256;

  private final long base;
  private final long bytes;
  private long used;

  /// Gives out `bytes` from `base` on, which is a multiple of 256.
  public Arena(long base, long bytes) {
    this.base = base;
    this.bytes = bytes;
  }

  /// Gives out addresses without memory behind them.
  public static Arena measuring() {
    return new Arena(ALIGNMENT, Long.MAX_VALUE - 2 * ALIGNMENT);
  }

  /// The address of `size` bytes, a multiple of 256.
  ///
  /// @throws CudaException when they are not left
  public long take(long size) {
    long from = used;
    long rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > bytes - used) {
      throw new CudaException(
          "The arena of %d bytes has %d left, %d are asked for; this is a fault of the layout."
              .formatted(bytes, bytes - used, size));
    }
    used += rounded;
    return base + from;
  }

  /// As [#take] for `count` elements of 4 bytes.
  public long takeWords(long count) {
    return take(Math.multiplyExact(count, 4L));
  }

  /// How many bytes are given out.
  public long used() {
    return used;
  }
}
