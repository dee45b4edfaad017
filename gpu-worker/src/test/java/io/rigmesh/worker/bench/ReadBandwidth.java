package io.rigmesh.worker.bench;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The rate at which this machine's memory is read: an array far larger than any cache is summed by
/// vectors, each thread in four streams side by side, as prefetchers like it best.
final class ReadBandwidth {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int STREAMS = 4;
  private static final int FLOATS = 64 << 20;

  private final float[] memory = new float[FLOATS];
  private final int threads;
  private volatile float sink;

  ReadBandwidth(int threads) {
    this.threads = threads;
    Arrays.fill(memory, 1e-3f);
  }

  /// One measurement, in bytes per second.
  double bytesPerSecond() throws InterruptedException {
    int share = FLOATS / threads;
    Thread[] helpers = new Thread[threads - 1];
    long start = System.nanoTime();
    for (int i = 0; i < helpers.length; i++) {
      int from = (i + 1) * share;
      helpers[i] = Thread.ofPlatform().start(() -> sink = sum(from, share));
    }
    sink = sum(0, share);
    for (Thread helper : helpers) {
      helper.join();
    }
    return (double) share * threads * Float.BYTES * 1e9 / (System.nanoTime() - start);
  }

  private float sum(int from, int count) {
    int stream = count / STREAMS;
    int step = 2 * SPECIES.length();
    int width = SPECIES.length();
    FloatVector s0 = FloatVector.zero(SPECIES);
    FloatVector s1 = FloatVector.zero(SPECIES);
    FloatVector s2 = FloatVector.zero(SPECIES);
    FloatVector s3 = FloatVector.zero(SPECIES);
    FloatVector t0 = FloatVector.zero(SPECIES);
    FloatVector t1 = FloatVector.zero(SPECIES);
    FloatVector t2 = FloatVector.zero(SPECIES);
    FloatVector t3 = FloatVector.zero(SPECIES);
    int end = from + stream - stream % step;
    for (int i = from; i < end; i += step) {
      s0 = s0.add(FloatVector.fromArray(SPECIES, memory, i));
      t0 = t0.add(FloatVector.fromArray(SPECIES, memory, i + width));
      s1 = s1.add(FloatVector.fromArray(SPECIES, memory, i + stream));
      t1 = t1.add(FloatVector.fromArray(SPECIES, memory, i + stream + width));
      s2 = s2.add(FloatVector.fromArray(SPECIES, memory, i + 2 * stream));
      t2 = t2.add(FloatVector.fromArray(SPECIES, memory, i + 2 * stream + width));
      s3 = s3.add(FloatVector.fromArray(SPECIES, memory, i + 3 * stream));
      t3 = t3.add(FloatVector.fromArray(SPECIES, memory, i + 3 * stream + width));
    }
    return s0.add(s1).add(s2.add(s3)).add(t0.add(t1)).add(t2.add(t3)).lane(0);
  }
}
