package io.rigmesh.worker.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The machine's peak rate of fused multiply-adds on one thread, measured with registers alone: 16
/// independent chains, more than the units' latency times their number.
final class FmaPeak {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 16;
  private static final int STEPS = 50_000;
  private static final int REPEATS = 40;
  private static float sink;

  private FmaPeak() {}

  /// One measurement of some milliseconds, in GFLOP/s.
  static double gigaflops() {
    long start = CpuClock.threadNanos();
    float sum = 0f;
    for (int i = 0; i < REPEATS; i++) {
      sum += chains(STEPS);
    }
    double nanos = CpuClock.threadNanos() - start;
    sink = sum;
    return 2.0 * CHAINS * SPECIES.length() * STEPS * REPEATS / nanos;
  }

  private static float chains(int steps) {
    FloatVector x = FloatVector.broadcast(SPECIES, 0.999f);
    FloatVector y = FloatVector.broadcast(SPECIES, 0.001f);
    FloatVector s0 = FloatVector.broadcast(SPECIES, 0f);
    FloatVector s1 = FloatVector.broadcast(SPECIES, 1f);
    FloatVector s2 = FloatVector.broadcast(SPECIES, 2f);
    FloatVector s3 = FloatVector.broadcast(SPECIES, 3f);
    FloatVector s4 = FloatVector.broadcast(SPECIES, 4f);
    FloatVector s5 = FloatVector.broadcast(SPECIES, 5f);
    FloatVector s6 = FloatVector.broadcast(SPECIES, 6f);
    FloatVector s7 = FloatVector.broadcast(SPECIES, 7f);
    FloatVector s8 = FloatVector.broadcast(SPECIES, 8f);
    FloatVector s9 = FloatVector.broadcast(SPECIES, 9f);
    FloatVector s10 = FloatVector.broadcast(SPECIES, 10f);
    FloatVector s11 = FloatVector.broadcast(SPECIES, 11f);
    FloatVector s12 = FloatVector.broadcast(SPECIES, 12f);
    FloatVector s13 = FloatVector.broadcast(SPECIES, 13f);
    FloatVector s14 = FloatVector.broadcast(SPECIES, 14f);
    FloatVector s15 = FloatVector.broadcast(SPECIES, 15f);
    for (int k = 0; k < steps; k++) {
      s0 = x.fma(s0, y);
      s1 = x.fma(s1, y);
      s2 = x.fma(s2, y);
      s3 = x.fma(s3, y);
      s4 = x.fma(s4, y);
      s5 = x.fma(s5, y);
      s6 = x.fma(s6, y);
      s7 = x.fma(s7, y);
      s8 = x.fma(s8, y);
      s9 = x.fma(s9, y);
      s10 = x.fma(s10, y);
      s11 = x.fma(s11, y);
      s12 = x.fma(s12, y);
      s13 = x.fma(s13, y);
      s14 = x.fma(s14, y);
      s15 = x.fma(s15, y);
    }
    s0 = s0.add(s1);
    s0 = s0.add(s2);
    s0 = s0.add(s3);
    s0 = s0.add(s4);
    s0 = s0.add(s5);
    s0 = s0.add(s6);
    s0 = s0.add(s7);
    s0 = s0.add(s8);
    s0 = s0.add(s9);
    s0 = s0.add(s10);
    s0 = s0.add(s11);
    s0 = s0.add(s12);
    s0 = s0.add(s13);
    s0 = s0.add(s14);
    s0 = s0.add(s15);
    return s0.lane(0);
  }
}
