package io.rigmesh.worker.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A ring of buffers of pinned host memory through which everything passes to the device: while the
/// bus carries some, the host fills others. A word on its way takes a buffer, too, which is why
/// there are more than two. Large copies are shared among the processors, since one alone is slower
/// than the bus. Where the system lets nobody pin memory, as some containers do, the same copies
/// are right and slower: the driver then stages them once more.
final class PinnedStaging implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PinnedStaging.class);

  private static final int BUFFERS = 4;
  private static final int BUFFER_BYTES = 16 << 20;
  private static final int PAGE_BYTES = 4096;
  private static final long PIECE_BYTES = 2 << 20;

  private final CUstream stream;
  private final LongFunction<CUdeviceptr> pointerOf;
  private final Arena host = Arena.ofShared();
  private final Pointer[] pointers = new Pointer[BUFFERS];
  private final MemorySegment[] buffers = new MemorySegment[BUFFERS];
  private final CUevent[] carried = new CUevent[BUFFERS];
  private final boolean[] pinned = new boolean[BUFFERS];
  private int next;

  /// @param stream what carries the copies
  /// @param pointerOf the driver's pointer for an address
  PinnedStaging(CUstream stream, LongFunction<CUdeviceptr> pointerOf) {
    this.stream = stream;
    this.pointerOf = pointerOf;
    for (int i = 0; i < BUFFERS; i++) {
      buffers[i] = host.allocate(BUFFER_BYTES, PAGE_BYTES);
      pointers[i] = Pointer.to(buffers[i].asByteBuffer());
      int result =
          JCudaDriver.cuMemHostRegister(
              pointers[i], BUFFER_BYTES, JCudaDriver.CU_MEMHOSTREGISTER_PORTABLE);
      pinned[i] = result == CUresult.CUDA_SUCCESS;
      if (!pinned[i]) {
        LOG.warn(
            "host memory cannot be pinned ({} by cuMemHostRegister), so copies are slower",
            CUresult.stringFor(result));
      }
      carried[i] = new CUevent();
      Cuda.check(
          "cuEventCreate",
          JCudaDriver.cuEventCreate(carried[i], CUevent_flags.CU_EVENT_DISABLE_TIMING));
    }
  }

  /// Copies to the device; returns when the source is read, not when the device has it.
  void write(long address, MemorySegment source) {
    for (long at = 0; at < source.byteSize(); at += BUFFER_BYTES) {
      long bytes = Math.min(BUFFER_BYTES, source.byteSize() - at);
      Cuda.check("cuEventSynchronize", JCudaDriver.cuEventSynchronize(carried[next]));
      copy(source.asSlice(at, bytes), buffers[next]);
      send(address + at, bytes);
    }
  }

  /// Sends the next buffer on its way.
  private void send(long address, long bytes) {
    Cuda.check(
        "cuMemcpyHtoDAsync",
        JCudaDriver.cuMemcpyHtoDAsync(pointerOf.apply(address), pointers[next], bytes, stream));
    Cuda.check("cuEventRecord", JCudaDriver.cuEventRecord(carried[next], stream));
    next = (next + 1) % BUFFERS;
  }

  /// Sends whole buffers as they are, as many as `bytes` hold, one behind the other.
  long carry(long address, long bytes) {
    long at = 0;
    for (; at + BUFFER_BYTES <= bytes; at += BUFFER_BYTES) {
      send(address + at, BUFFER_BYTES);
    }
    return at;
  }

  /// Copies from the device once everything before is done.
  void read(long address, MemorySegment target) {
    for (long at = 0; at < target.byteSize(); at += BUFFER_BYTES) {
      long bytes = Math.min(BUFFER_BYTES, target.byteSize() - at);
      Cuda.check("cuEventSynchronize", JCudaDriver.cuEventSynchronize(carried[next]));
      Cuda.check(
          "cuMemcpyDtoHAsync",
          JCudaDriver.cuMemcpyDtoHAsync(
              pointers[next], pointerOf.apply(address + at), bytes, stream));
      Cuda.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(stream));
      copy(buffers[next].asSlice(0, bytes), target.asSlice(at, bytes));
    }
  }

  private static void copy(MemorySegment from, MemorySegment to) {
    long bytes = from.byteSize();
    if (bytes <= PIECE_BYTES) {
      MemorySegment.copy(from, 0, to, 0, bytes);
      return;
    }
    LongStream.rangeClosed(0, (bytes - 1) / PIECE_BYTES)
        .parallel()
        .forEach(piece -> {
          long at = piece * PIECE_BYTES;
          MemorySegment.copy(from, at, to, at, Math.min(PIECE_BYTES, bytes - at));
        });
  }

  @Override
  public void close() {
    for (int i = 0; i < BUFFERS; i++) {
      Cuda.check("cuEventDestroy", JCudaDriver.cuEventDestroy(carried[i]));
      if (pinned[i]) {
        Cuda.check("cuMemHostUnregister", JCudaDriver.cuMemHostUnregister(pointers[i]));
      }
    }
    host.close();
  }
}
