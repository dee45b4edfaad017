package io.rigmesh.worker.cuda;

import java.util.Map;
import java.util.TreeMap;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;

/// The device memory that a worker holds, by address.
final class CudaMemory implements AutoCloseable {
  private final TreeMap<Long, Piece> pieces = new TreeMap<>();

  /// A device pointer whose address can be seen.
  private static final class Piece extends CUdeviceptr {
    long address() {
      return getNativePointer();
    }
  }

  /// Memory filled with 0.
  long allocate(long bytes) {
    Piece piece = new Piece();
    Cuda.check("cuMemAlloc of %d MiB".formatted(bytes >> 20), JCudaDriver.cuMemAlloc(piece, bytes));
    pieces.put(piece.address(), piece);
    Cuda.check("cuMemsetD8", JCudaDriver.cuMemsetD8(piece, (byte) 0, bytes));
    return piece.address();
  }

  /// Gives one piece back.
  void free(long address) {
    Piece piece = pieces.remove(address);
    if (piece == null) {
      throw new IllegalArgumentException(
          "No piece of device memory begins at address %x.".formatted(address));
    }
    Cuda.check("cuMemFree", JCudaDriver.cuMemFree(piece));
  }

  /// The driver's pointer for an address within a piece.
  CUdeviceptr pointer(long address) {
    Map.Entry<Long, Piece> piece = pieces.floorEntry(address);
    if (piece == null) {
      throw new IllegalArgumentException(
          "Address %x lies in no piece of device memory.".formatted(address));
    }
    return piece.getValue().withByteOffset(address - piece.getKey());
  }

  /// Gives all of it back.
  @Override
  public void close() {
    for (Piece piece : pieces.values()) {
      Cuda.check("cuMemFree", JCudaDriver.cuMemFree(piece));
    }
    pieces.clear();
  }
}
