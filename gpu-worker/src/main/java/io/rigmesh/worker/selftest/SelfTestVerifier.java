package io.rigmesh.worker.selftest;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;

/// The verifier's side: checks a report and an answer at a fraction of the work.
///
/// Memory is checked at sampled places, which a device that kept a share f of it answers all with
/// probability f^words. A product in whole numbers is checked by Freivalds' method modulo the prime
/// 2^31 - 1: C r = A (Bᵀ r) for a random r, which a wrong C passes with probability 5e-10, at the
/// cost of reading the matrices once. A product in f32-v1 is checked at sampled elements, each
/// recomputed as docs/numerics.md has it. Times are the prover's word unless the verifier took
/// them.
public final class SelfTestVerifier {
  private static final long PRIME = (1L << 31) - 1;

  private SelfTestVerifier() {}

  /// Checks everything.
  ///
  /// @throws SelfTestException naming the first thing that is wrong
  public static void check(
      SelfTestReport report, SelfTestQuestion question, SelfTestAnswer answer) {
    Challenge challenge = report.challenge();
    memory(challenge, question, answer.words());
    int number = Sampling.product(question, challenge);
    for (Profile profile : Profile.values()) {
      Tensor result = answer.products().get(profile);
      if (result == null
          || result.rank() != 2
          || result.dim(0) != challenge.rows()
          || result.dim(1) != challenge.columns()) {
        throw new SelfTestException("The product in " + profile + " is missing or misshapen.");
      }
      String said =
          report.products().stream()
              .filter(entry -> entry.profile() == profile)
              .findFirst()
              .filter(entry -> entry.sha256().size() == challenge.products())
              .map(entry -> entry.sha256().get(number))
              .orElseThrow(
                  () -> new SelfTestException("The report lacks products in " + profile + "."));
      if (!SelfTest.sha256(result).equals(said)) {
        throw new SelfTestException(
            "Product " + number + " in " + profile + " is not the one that the report hashed.");
      }
      switch (profile) {
        case I8_V1 -> freivalds(challenge, question, number, result);
        case F32_V1 -> elements(challenge, question, number, result);
      }
    }
  }

  private static void memory(Challenge challenge, SelfTestQuestion question, int[] words) {
    long[] places = Sampling.words(question, challenge);
    if (words.length != places.length) {
      throw new SelfTestException(
          places.length + " words of memory were asked for, " + words.length + " were shown.");
    }
    for (int i = 0; i < places.length; i++) {
      if (words[i] != SeededNumbers.word(challenge.seed(), places[i])) {
        throw new SelfTestException(
            "Word " + places[i] + " of the memory is not what it was filled with.");
      }
    }
  }

  private static void freivalds(
      Challenge challenge, SelfTestQuestion question, int number, Tensor c) {
    Tensor a = SeededNumbers.input(challenge, Profile.I8_V1, number);
    Tensor b = SeededNumbers.weight(challenge, Profile.I8_V1);
    long[] r = new long[challenge.columns()];
    for (int n = 0; n < r.length; n++) {
      r[n] = Sampling.vector(question, n, PRIME);
    }
    long[] combined = new long[challenge.depth()];
    for (int n = 0; n < r.length; n++) {
      for (int k = 0; k < combined.length; k++) {
        // At most 127 * 2^31 is added, so a long holds the sum of 2^24 rows.
        combined[k] += r[n] * (int) b.get(n, k);
      }
    }
    for (int k = 0; k < combined.length; k++) {
      combined[k] = Math.floorMod(combined[k], PRIME);
    }
    for (int t = 0; t < challenge.rows(); t++) {
      long left = 0;
      for (int n = 0; n < r.length; n++) {
        float element = c.get(t, n);
        if (element != (long) element) {
          throw new SelfTestException(
              "Element (" + t + ", " + n + ") of the product in i8-v1 is no whole number.");
        }
        left = Math.floorMod(left + Math.floorMod((long) element, PRIME) * r[n], PRIME);
      }
      long right = 0;
      for (int k = 0; k < combined.length; k++) {
        right += combined[k] * (int) a.get(t, k);
      }
      if (left != Math.floorMod(right, PRIME)) {
        throw new SelfTestException("Row " + t + " of the product in i8-v1 is wrong.");
      }
    }
  }

  private static void elements(
      Challenge challenge, SelfTestQuestion question, int number, Tensor y) {
    Tensor x = SeededNumbers.input(challenge, Profile.F32_V1, number);
    Tensor w = SeededNumbers.weight(challenge, Profile.F32_V1);
    for (int i = 0; i < question.elements(); i++) {
      int element = Sampling.element(question, challenge, i);
      int t = element / challenge.columns();
      int n = element % challenge.columns();
      float dot = blockDot(x, t, w, n, challenge.depth());
      if (Float.floatToRawIntBits(dot) != Float.floatToRawIntBits(y.get(element))) {
        throw new SelfTestException(
            "Element (" + t + ", " + n + ") of the product in f32-v1 is wrong.");
      }
    }
  }

  private static float blockDot(Tensor x, int t, Tensor w, int n, int depth) {
    float total = 0f;
    for (int block = 0; block < depth; block += Kernels.BLOCK) {
      float chain = 0f;
      for (int k = block; k < Math.min(depth, block + Kernels.BLOCK); k++) {
        chain = Math.fma(x.get(t, k), w.get(n, k), chain);
      }
      total = block == 0 ? chain : total + chain;
    }
    return total;
  }
}
