package io.rigmesh.worker.cuda;

import java.lang.foreign.MemorySegment;

/// A device that runs launch plans: memory and one queue. Whatever is asked of it takes effect in
/// the order in which it was asked; only [#read] waits. Serves one thread at a time.
///
/// [CudaAccelerator] is NVIDIA's driver; tests have one that interprets the shipped PTX.
public interface Accelerator extends AutoCloseable {
  /// The device's name, for logs and receipts.
  String name();

  /// What it can run.
  Architecture architecture();

  /// How many bytes [#allocate] could still give.
  long memoryFreeBytes();

  /// How many bytes the device has.
  long memoryTotalBytes();

  /// Memory filled with 0, at an address that is a multiple of 256. It stays until [#free] or
  /// [#close].
  ///
  /// @throws CudaException when there is not so much
  long allocate(long bytes);

  /// Waits for everything before and gives the memory at an address that [#allocate] gave back.
  void free(long address);

  /// Copies to the device; the source may be changed afterwards.
  void write(long address, MemorySegment source);

  /// Waits for everything before and copies from the device.
  void read(long address, MemorySegment target);

  /// Runs a plan once.
  void run(LaunchPlan plan);

  /// Prepares a plan that will run many times, so that a run costs one call.
  Recording record(LaunchPlan plan);

  /// Gives everything back.
  @Override
  void close();

  /// A plan that was prepared.
  interface Recording extends AutoCloseable {
    /// Runs it once.
    void replay();

    @Override
    void close();
  }
}
