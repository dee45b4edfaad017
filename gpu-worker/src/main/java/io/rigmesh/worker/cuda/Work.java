package io.rigmesh.worker.cuda;

/// What a launch cannot do with less of: counted, not measured.
///
/// @param bytesRead from device memory, every input once
/// @param bytesWritten to device memory
/// @param operations multiplications and additions, each counted as one
/// @param unit what does them
public record Work(long bytesRead, long bytesWritten, long operations, Unit unit) {
  /// The unit that does the operations.
  public enum Unit {
    /// The scalar binary32 units.
    FLOAT32,
    /// Bytes times bytes into 32-bit integers: dp4a or the tensor cores.
    INT8
  }

  /// Only moves bytes, or does so little with them that it does not count.
  public static Work moving(long bytesRead, long bytesWritten) {
    return new Work(bytesRead, bytesWritten, 0, Unit.FLOAT32);
  }

  /// All bytes.
  public long bytes() {
    return bytesRead + bytesWritten;
  }
}
