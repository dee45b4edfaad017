package io.rigmesh.worker.kernels;

/// The elementary functions of profile f32-v1, each defined by its range reduction and polynomial
/// to the last rounding.
///
/// Every line is one rounding of binary32 arithmetic, so whoever follows the lines gets the same
/// bits. The coefficients are minimax fits made for this project, rounded to binary32 one after the
/// other from the lowest order on, the rest being fitted again after each rounding. Polynomials are
/// evaluated by Horner's rule, an fma per coefficient. The error bounds are tested against double
/// arithmetic. The vector backend repeats these lines lane by lane (`VectorElementary`).
public final class Elementary {
  /// Inputs of [#exp] below this give the same result as this, which is +0.
  public static final float EXP_MIN = -104f;

  /// Inputs of [#exp] above this give the same result as this, which is infinity.
  public static final float EXP_MAX = 89f;

  /// log2(e), rounded.
  public static final float LOG2_E = 0x1.715476p+0f;

  /// 1.5 * 2^23: adding it rounds a small float to an integer, which then stands in the low bits of
  /// the sum.
  public static final float ROUNDER = 0x1.8p+23f;

  /// The upper 15 bits of ln 2, so that its product with an exponent is exact.
  public static final float LN2_HIGH = 0x1.62e4p-1f;

  /// ln 2 minus [#LN2_HIGH], rounded.
  public static final float LN2_LOW = 0x1.7f7d1cp-20f;

  /// (exp(r) - 1 - r) / r^2 for |r| up to ln(2)/2.
  public static final float EXP_0 = 0x1.fffffcp-2f;

  /// The coefficient of r.
  public static final float EXP_1 = 0x1.555492p-3f;

  /// The coefficient of r^2.
  public static final float EXP_2 = 0x1.5558b8p-5f;

  /// The coefficient of r^3.
  public static final float EXP_3 = 0x1.1239aap-7f;

  /// The coefficient of r^4.
  public static final float EXP_4 = 0x1.6a452cp-10f;

  /// Below this magnitude tanh is a polynomial, from here on it comes from exp.
  public static final float TANH_SMALL = 0.625f;

  /// (tanh(x) / x - 1) / x^2 as a polynomial in x^2.
  public static final float TANH_0 = -0x1.555554p-2f;

  /// The coefficient of x^2.
  public static final float TANH_1 = 0x1.11107ap-3f;

  /// The coefficient of x^4.
  public static final float TANH_2 = -0x1.b9f18ap-5f;

  /// The coefficient of x^6.
  public static final float TANH_3 = 0x1.63a57ep-6f;

  /// The coefficient of x^8.
  public static final float TANH_4 = -0x1.0c6020p-7f;

  /// The coefficient of x^10.
  public static final float TANH_5 = 0x1.1a2e3ep-9f;

  /// Below this magnitude erf is a polynomial, from here on it is 1 - exp(-t - t * polynomial(t)).
  public static final float ERF_SMALL = 0.92f;

  /// From this magnitude on erf is 1 in binary32.
  public static final float ERF_MAX = 4f;

  /// erf(x) / x - 1 as a polynomial in x^2.
  public static final float ERF_0 = 0x1.06eba8p-3f;

  /// The coefficient of x^2.
  public static final float ERF_1 = -0x1.812740p-2f;

  /// The coefficient of x^4.
  public static final float ERF_2 = 0x1.ce2d64p-4f;

  /// The coefficient of x^6.
  public static final float ERF_3 = -0x1.b8011ap-6f;

  /// The coefficient of x^8.
  public static final float ERF_4 = 0x1.544a1ap-8f;

  /// The coefficient of x^10.
  public static final float ERF_5 = -0x1.a60a2ep-11f;

  /// The coefficient of x^12.
  public static final float ERF_6 = 0x1.4f675ep-14f;

  /// -log(1 - erf(t)) / t - 1 as a polynomial in t, for t from 0.92 to 4.
  public static final float ERFC_0 = 0x1.0778dcp-3f;

  /// The coefficient of t.
  public static final float ERFC_1 = 0x1.45328ep-1f;

  /// The coefficient of t^2.
  public static final float ERFC_2 = 0x1.b32568p-4f;

  /// The coefficient of t^3.
  public static final float ERFC_3 = -0x1.855122p-6f;

  /// The coefficient of t^4.
  public static final float ERFC_4 = 0x1.dd6ba8p-9f;

  /// The coefficient of t^5.
  public static final float ERFC_5 = -0x1.52795cp-12f;

  /// The coefficient of t^6.
  public static final float ERFC_6 = 0x1.78d116p-17f;

  /// 1/sqrt(2), rounded.
  public static final float ROOT_HALF = 0x1.6a09e6p-1f;

  private static final float[] LOG = {
    0x1.555548p-2f,
    -0x1.000006p-2f,
    0x1.99a478p-3f,
    -0x1.555c4ep-3f,
    0x1.233b78p-3f,
    -0x1.fc26acp-4f,
    0x1.e6c040p-4f,
    -0x1.de1008p-4f,
    0x1.1484e6p-4f
  };

  private Elementary() {}

  /// e^x within 1.1 ulp, with subnormal results; +0 below -104 and infinity above 89.
  public static float exp(float x) {
    float c = x < EXP_MIN ? EXP_MIN : x;
    c = c > EXP_MAX ? EXP_MAX : c;
    float t = Math.fma(c, LOG2_E, ROUNDER);
    float n = t - ROUNDER;
    float r = Math.fma(n, -LN2_HIGH, c);
    r = Math.fma(n, -LN2_LOW, r);
    float q = Math.fma(EXP_4, r, EXP_3);
    q = Math.fma(q, r, EXP_2);
    q = Math.fma(q, r, EXP_1);
    q = Math.fma(q, r, EXP_0);
    float s = r * r;
    float y = Math.fma(q, s, r);
    y = y + 1f;
    // The power of two is applied in two halves: the first product is exact, the second rounds only
    // into the subnormals.
    int exponent = Float.floatToRawIntBits(t) - Float.floatToRawIntBits(ROUNDER);
    int half = exponent >> 1;
    return y * powerOfTwo(half) * powerOfTwo(exponent - half);
  }

  /// The natural logarithm of a positive finite x within 1.5 ulp.
  public static float log(float x) {
    float scaled = x;
    int exponent = 0;
    if (x < Float.MIN_NORMAL) {
      scaled = x * 0x1p23f;
      exponent = -23;
    }
    int bits = Float.floatToRawIntBits(scaled);
    // The mantissa is brought to [sqrt(1/2), sqrt(2)).
    int shift = (bits - Float.floatToRawIntBits(ROOT_HALF)) >> 23;
    exponent += shift;
    float m = Float.intBitsToFloat(bits - (shift << 23));
    float f = m - 1f;
    float q = LOG[8];
    for (int i = 7; i >= 0; i--) {
      q = Math.fma(q, f, LOG[i]);
    }
    float s = f * f;
    float e = exponent;
    float y = Math.fma(q * s, f, e * LN2_LOW);
    y = Math.fma(-0.5f, s, y);
    y = y + f;
    return Math.fma(e, LN2_HIGH, y);
  }

  /// The hyperbolic tangent within 2 ulp; of -0 it is +0.
  public static float tanh(float x) {
    float a = Math.abs(x);
    if (a < TANH_SMALL) {
      float s = x * x;
      float q = Math.fma(TANH_5, s, TANH_4);
      q = Math.fma(q, s, TANH_3);
      q = Math.fma(q, s, TANH_2);
      q = Math.fma(q, s, TANH_1);
      q = Math.fma(q, s, TANH_0);
      q = q * s;
      return Math.fma(q, x, x);
    }
    // Above 9 the quotient is so small that the result is 1; the clamp keeps exp finite.
    float c = a > 16f ? 16f : a;
    float y = 1f - 2f / (exp(c + c) + 1f);
    return x < 0f ? -y : y;
  }

  /// The error function within 2 ulp.
  public static float erf(float x) {
    float a = Math.abs(x);
    if (a < ERF_SMALL) {
      float s = x * x;
      float q = Math.fma(ERF_6, s, ERF_5);
      q = Math.fma(q, s, ERF_4);
      q = Math.fma(q, s, ERF_3);
      q = Math.fma(q, s, ERF_2);
      q = Math.fma(q, s, ERF_1);
      q = Math.fma(q, s, ERF_0);
      return Math.fma(q, x, x);
    }
    float t = a > ERF_MAX ? ERF_MAX : a;
    float q = Math.fma(ERFC_6, t, ERFC_5);
    q = Math.fma(q, t, ERFC_4);
    q = Math.fma(q, t, ERFC_3);
    q = Math.fma(q, t, ERFC_2);
    q = Math.fma(q, t, ERFC_1);
    q = Math.fma(q, t, ERFC_0);
    float y = 1f - exp(Math.fma(-q, t, -t));
    return x < 0f ? -y : y;
  }

  /// 1 / (1 + e^-x) within 2.25 ulp, by way of e^-|x|, which never overflows.
  public static float sigmoid(float x) {
    float e = exp(-Math.abs(x));
    float numerator = x < 0f ? e : 1f;
    return numerator / (1f + e);
  }

  /// The Gaussian error linear unit, 0.5x * (1 + erf(x / sqrt 2)).
  public static float gelu(float x) {
    return (0.5f * x) * (1f + erf(x * ROOT_HALF));
  }

  private static float powerOfTwo(int exponent) {
    return Float.intBitsToFloat((exponent + 127) << 23);
  }
}
