package io.rigmesh.worker.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class ElementaryTest {
  private interface FloatFunction {
    float of(float x);
  }

  @Test
  void expIsWithinOneAndATenthUlp() {
    assertThat(worstUlp(Elementary::exp, StrictMath::exp, -87f, 88.7f)).isLessThan(1.1);
  }

  @Test
  void expOfVerySmallInputsRoundsIntoTheSubnormals() {
    for (float x = -103.9f; x < -87f; x += 0.013f) {
      double exact = StrictMath.exp(x);
      assertThat(Math.abs(Elementary.exp(x) - exact))
          .as("x=%s", x)
          .isLessThan(1.2 * Float.MIN_VALUE + exact * 1e-7);
    }
    assertThat(Elementary.exp(-104f)).isEqualTo(0f);
    assertThat(Elementary.exp(-3e38f)).isEqualTo(0f);
    assertThat(Elementary.exp(Float.NEGATIVE_INFINITY)).isEqualTo(0f);
    assertThat(Elementary.exp(0f)).isEqualTo(1f);
    assertThat(Elementary.exp(-0f)).isEqualTo(1f);
    assertThat(Elementary.exp(89f)).isEqualTo(Float.POSITIVE_INFINITY);
  }

  @Test
  void logIsWithinOneAndAHalfUlp() {
    assertThat(worstUlp(Elementary::log, StrictMath::log, 1e-30f, 1e-3f)).isLessThan(1.5);
    assertThat(worstUlp(Elementary::log, StrictMath::log, 0.001f, 4f)).isLessThan(1.5);
    assertThat(worstUlp(Elementary::log, StrictMath::log, 4f, 1e30f)).isLessThan(1.5);
    assertThat(Elementary.log(1f)).isEqualTo(0f);
    assertThat((double) Elementary.log(Float.MIN_VALUE))
        .isCloseTo(StrictMath.log(Float.MIN_VALUE), org.assertj.core.api.Assertions.within(1e-5));
  }

  @Test
  void tanhIsWithinTwoUlp() {
    assertThat(worstUlp(Elementary::tanh, StrictMath::tanh, -12f, 12f)).isLessThan(2.0);
    assertThat(Elementary.tanh(40f)).isEqualTo(1f);
    assertThat(Elementary.tanh(-1e30f)).isEqualTo(-1f);
  }

  @Test
  void sigmoidIsWithinTwoAndAQuarterUlp() {
    DoubleUnaryOperator exact =
        x -> x < 0 ? StrictMath.exp(x) / (1 + StrictMath.exp(x)) : 1 / (1 + StrictMath.exp(-x));
    assertThat(worstUlp(Elementary::sigmoid, exact, -80f, 80f)).isLessThan(2.25);
  }

  @Test
  void erfIsWithinTwoUlp() {
    assertThat(worstUlp(Elementary::erf, ElementaryTest::erf, -4.5f, 4.5f)).isLessThan(2.0);
    assertThat(Elementary.erf(1e30f)).isEqualTo(1f);
    assertThat(Elementary.erf(-5f)).isEqualTo(-1f);
  }

  /// Taylor's series in double; its terms alternate, so up to 4.5 it loses no more than 9 of 16
  /// digits.
  private static double erf(double x) {
    if (Math.abs(x) > 3) {
      // Continued fraction of erfc, from the far end.
      double t = Math.abs(x);
      double f = 0;
      for (int k = 200; k > 0; k--) {
        f = k / 2.0 / (t + f);
      }
      return Math.signum(x) * (1 - StrictMath.exp(-t * t) / Math.sqrt(Math.PI) / (t + f));
    }
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  /// The largest error over 200,001 points, evenly spread, in units in the last place of the exact
  /// value.
  private static double worstUlp(FloatFunction f, DoubleUnaryOperator exact, float from, float to) {
    double worst = 0;
    for (int i = 0; i <= 200_000; i++) {
      float x = (float) (from + ((double) to - from) * i / 200_000);
      double y = exact.applyAsDouble(x);
      worst = Math.max(worst, Math.abs(f.of(x) - y) / Math.ulp((float) y));
    }
    return worst;
  }
}
