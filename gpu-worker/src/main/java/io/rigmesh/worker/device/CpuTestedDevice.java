package io.rigmesh.worker.device;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.selftest.SeededNumbers;
import io.rigmesh.worker.selftest.TestedDevice;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The central processor under test: its kernels and the Java heap.
public final class CpuTestedDevice implements TestedDevice {
  private static final int CHUNK_WORDS = 1 << 22;

  /// More than any cache holds; the rest of the machine's memory has other users.
  private static final long FILLED_BYTES = 256 << 20;

  private final Kernels kernels;
  private List<int[]> memory = List.of();
  private int sum;

  /// @param threads how many compute
  public CpuTestedDevice(int threads) {
    this.kernels = Devices.open("cpu", threads);
  }

  @Override
  public String name() {
    return Devices.cpu().name();
  }

  @Override
  public long memoryTotalBytes() {
    return Devices.cpu().memoryTotalBytes();
  }

  @Override
  public long fillableBytes() {
    return FILLED_BYTES;
  }

  @Override
  public void fill(long seed, long words) {
    List<int[]> chunks = new ArrayList<>();
    for (long from = 0; from < words; from += CHUNK_WORDS) {
      int[] chunk = new int[(int) Math.min(CHUNK_WORDS, words - from)];
      SeededNumbers.fill(seed, from, chunk);
      chunks.add(chunk);
    }
    memory = List.copyOf(chunks);
  }

  @Override
  public long pass() {
    // Every word is added up, so that none can be left unread.
    sum +=
        IntStream.range(0, memory.size()).parallel().map(chunk -> total(memory.get(chunk))).sum();
    return memory.stream().mapToLong(chunk -> 4L * chunk.length).sum();
  }

  private static int total(int[] chunk) {
    int total = 0;
    for (int word : chunk) {
      total += word;
    }
    return total;
  }

  @Override
  public int[] words(long[] indices) {
    int[] words = new int[indices.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = memory.get((int) (indices[i] / CHUNK_WORDS))[(int) (indices[i] % CHUNK_WORDS)];
    }
    return words;
  }

  /// The sum of all passes, which keeps them from being left out.
  int sum() {
    return sum;
  }

  @Override
  public void release() {
    memory = List.of();
  }

  @Override
  public Product product(Profile profile, Tensor weight, int rows) {
    PackedWeight packed = kernels.pack(weight, profile);
    Tensor x = Tensor.zeros(rows, weight.dim(1));
    Tensor y = Tensor.zeros(rows, weight.dim(0));
    return new Product() {
      @Override
      public void input(Tensor values) {
        x.copyFrom(values);
      }

      @Override
      public void multiply() {
        kernels.linear(x, packed, y);
      }

      @Override
      public Tensor result() {
        return y.copy();
      }
    };
  }

  @Override
  public void close() {
    kernels.close();
  }
}
