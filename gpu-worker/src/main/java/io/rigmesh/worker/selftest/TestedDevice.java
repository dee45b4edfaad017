package io.rigmesh.worker.selftest;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.tensor.Tensor;

/// A device as the self-test drives it. Every call returns when its work is done, so that the
/// caller may time it. Serves one thread.
public interface TestedDevice extends AutoCloseable {
  /// The device's name.
  String name();

  /// The memory that the device has in all.
  long memoryTotalBytes();

  /// How much of it a challenge fills unless someone says otherwise; the matrices have room beside
  /// it.
  long fillableBytes();

  /// Takes memory and fills it with the words of [SeededNumbers#word].
  void fill(long seed, long words);

  /// Goes through the whole memory once as fast as it can; gives the bytes read and written.
  long pass();

  /// The words at `indices`, as they are in memory now.
  int[] words(long[] indices);

  /// Frees the memory that was filled.
  void release();

  /// Brings a weight `(N, K)` onto the device in a profile.
  Product product(Profile profile, Tensor weight, int rows);

  /// Ends the use of the device.
  @Override
  void close();

  /// A linear layer on the device.
  interface Product {
    /// Brings the input `(rows, K)` onto the device.
    void input(Tensor x);

    /// Computes the layer, quantisation of the input included where the profile has one.
    void multiply();

    /// The result `(rows, N)`, the caller's own.
    Tensor result();
  }
}
