package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/// Fills a model on a device with random weights whose steps stay finite, so that one of any size
/// can be timed without files. Every matrix repeats one stretch of random bytes, which for a large
/// model is as long as the caches of a device.
final class RandomWeights {
  private static final int STRETCH_BYTES_MAX = 64 << 20;

  private final Accelerator device;
  private final Random random = new Random(1);
  private final MemorySegment bytes;
  private final MemorySegment floats;
  private final MemorySegment halves;

  private RandomWeights(Accelerator device, long largestBytes) {
    this.device = device;
    int stretchBytes = (int) Math.min(STRETCH_BYTES_MAX, largestBytes);
    byte[] integers = new byte[stretchBytes];
    random.nextBytes(integers);
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (byte) Math.max(-127, integers[i]);
    }
    bytes = MemorySegment.ofArray(integers);
    float[] reals = new float[stretchBytes / Float.BYTES];
    short[] shorts = new short[stretchBytes / Short.BYTES];
    for (int i = 0; i < reals.length; i++) {
      reals[i] = (random.nextFloat() - 0.5f) * 0.04f;
    }
    for (int i = 0; i < shorts.length; i++) {
      shorts[i] = (short) (Float.floatToRawIntBits(reals[i % reals.length]) >>> 16);
    }
    floats = MemorySegment.ofArray(reals);
    halves = MemorySegment.ofArray(shorts);
  }

  /// Fills all of a model; its embedding table is bf16.
  static void fill(Accelerator device, DeviceLlama model) {
    int width = model.config().hiddenSize();
    int widest = Math.max(model.config().vocabularySize(), 2 * model.config().feedForwardSize());
    RandomWeights weights = new RandomWeights(device, 4L * width * widest);
    weights.repeat(model.embedding(), 2L * model.config().vocabularySize() * width, weights.halves);
    for (DeviceLlama.Layer layer : model.layers()) {
      weights.ones(layer.attentionNorm(), width);
      weights.ones(layer.feedForwardNorm(), width);
      weights.matrix(layer.qkv());
      weights.matrix(layer.output());
      weights.matrix(layer.gateUp());
      weights.matrix(layer.down());
    }
    weights.ones(model.finalNorm(), width);
    weights.matrix(model.head());
    RopeTable rope = model.config().ropeTable(model.positions());
    weights.write(model.cos(), rope.cos());
    weights.write(model.sin(), rope.sin());
  }

  private void matrix(DeviceMatrix matrix) {
    if (matrix.profile() == Profile.F32_V1) {
      repeat(matrix.address(), 4L * matrix.depth() * matrix.pitch(), floats);
      return;
    }
    repeat(matrix.address(), (long) matrix.columns() * matrix.pitch(), bytes);
    float[] scales = new float[matrix.columns()];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = 0.02f / 127 * (0.5f + random.nextFloat());
    }
    device.write(matrix.scales(), MemorySegment.ofArray(scales));
  }

  private void ones(long address, int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1f);
    device.write(address, MemorySegment.ofArray(ones));
  }

  private void write(long address, Tensor tensor) {
    device.write(address, MemorySegment.ofArray(tensor.toArray()));
  }

  private void repeat(long address, long count, MemorySegment stretch) {
    long step = stretch.byteSize();
    for (long at = 0; at < count; at += step) {
      device.write(address + at, stretch.asSlice(0, Math.min(step, count - at)));
    }
  }
}
