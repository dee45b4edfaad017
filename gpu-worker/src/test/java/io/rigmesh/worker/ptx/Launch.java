package io.rigmesh.worker.ptx;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/// One launch of a kernel over a grid; its blocks run one after the other.
final class Launch {
  private final Program program;
  private final DeviceMemory memory;
  private final Extent grid;
  private final Extent block;
  private final int dynamicSharedBytes;
  private final byte[] parameters;
  private final long number;
  private final boolean backwards;
  private final long instructionsMax;
  private final Map<Long, BitSet> published = new HashMap<>();
  private long warpInstructions;
  private long threadInstructions;
  private long bytesRead;
  private long bytesWritten;
  private final boolean distinct;
  private final Map<DeviceBuffer, BitSet> read = new HashMap<>();
  private final Map<DeviceBuffer, BitSet> written = new HashMap<>();

  /// @param backwards whether blocks and warps run in descending order, which must change nothing
  /// @param distinct whether the different bytes that are touched are counted, which takes time
  /// @param instructionsMax after how many instructions of a warp the launch counts as endless
  Launch(
      Program program,
      DeviceMemory memory,
      Extent grid,
      Extent block,
      int dynamicSharedBytes,
      byte[] parameters,
      long number,
      boolean backwards,
      boolean distinct,
      long instructionsMax) {
    this.program = program;
    this.memory = memory;
    this.grid = grid;
    this.block = block;
    this.dynamicSharedBytes = dynamicSharedBytes;
    this.parameters = parameters;
    this.number = number;
    this.backwards = backwards;
    this.distinct = distinct;
    this.instructionsMax = instructionsMax;
  }

  void run() {
    int bytes = program.sharedBytes() + dynamicSharedBytes;
    byte[] shared = new byte[bytes];
    Shadow shadow = new Shadow(bytes, program.sharedUnitBytes(), true);
    int blocks = grid.count();
    for (int i = 0; i < blocks; i++) {
      new Block(this, backwards ? blocks - 1 - i : i, shared, shadow).run();
    }
  }

  Program program() {
    return program;
  }

  DeviceMemory memory() {
    return memory;
  }

  Extent grid() {
    return grid;
  }

  Extent block() {
    return block;
  }

  int dynamicSharedBytes() {
    return dynamicSharedBytes;
  }

  byte[] parameters() {
    return parameters;
  }

  /// A number that no other launch has.
  long number() {
    return number;
  }

  boolean backwards() {
    return backwards;
  }

  /// The blocks whose writes an atomic at `address` makes known.
  BitSet published(long address) {
    return published.computeIfAbsent(address, ignored -> new BitSet());
  }

  void countWarpInstructions(long count) {
    warpInstructions += count;
    if (warpInstructions > instructionsMax) {
      throw new PtxException(
          "Kernel "
              + program.name()
              + " ran "
              + warpInstructions
              + " instructions of a warp and has not ended.");
    }
  }

  void countThreadInstructions(long count) {
    threadInstructions += count;
  }

  /// Counts an access to `bytes` bytes from byte `at` of a buffer.
  void countGlobal(DeviceBuffer buffer, int at, int bytes, boolean writes) {
    if (writes) {
      bytesWritten += bytes;
    } else {
      bytesRead += bytes;
    }
    if (distinct) {
      BitSet stored = written.computeIfAbsent(buffer, ignored -> new BitSet());
      if (writes) {
        stored.set(at, at + bytes);
      } else if (!stored.get(at)) {
        read.computeIfAbsent(buffer, ignored -> new BitSet()).set(at, at + bytes);
      }
    }
  }

  LaunchCounts counts() {
    return new LaunchCounts(
        warpInstructions,
        threadInstructions,
        bytesRead,
        bytesWritten,
        touched(read),
        touched(written));
  }

  private static long touched(Map<DeviceBuffer, BitSet> bytes) {
    return bytes.values().stream().mapToLong(BitSet::cardinality).sum();
  }
}
