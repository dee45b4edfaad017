// The elementary functions of profile f32-v1 on the device: line by line what Elementary.java does, whose coefficients
// these are (ElementaryHeaderTest compares every one). Each line is one rounding of binary32, so the bits are the same.
// Derivation and error bounds: docs/numerics.md, "Elementary functions".
#pragma once

#define EXP_MIN -104.0f
#define EXP_MAX 89.0f
#define LOG2_E 0x1.715476p+0f
#define ROUNDER 0x1.8p+23f
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define EXP_0 0x1.fffffcp-2f
#define EXP_1 0x1.555492p-3f
#define EXP_2 0x1.5558b8p-5f
#define EXP_3 0x1.1239aap-7f
#define EXP_4 0x1.6a452cp-10f
#define TANH_SMALL 0.625f
#define TANH_0 -0x1.555554p-2f
#define TANH_1 0x1.11107ap-3f
#define TANH_2 -0x1.b9f18ap-5f
#define TANH_3 0x1.63a57ep-6f
#define TANH_4 -0x1.0c6020p-7f
#define TANH_5 0x1.1a2e3ep-9f
#define ERF_SMALL 0.92f
#define ERF_MAX 4.0f
#define ERF_0 0x1.06eba8p-3f
#define ERF_1 -0x1.812740p-2f
#define ERF_2 0x1.ce2d64p-4f
#define ERF_3 -0x1.b8011ap-6f
#define ERF_4 0x1.544a1ap-8f
#define ERF_5 -0x1.a60a2ep-11f
#define ERF_6 0x1.4f675ep-14f
#define ERFC_0 0x1.0778dcp-3f
#define ERFC_1 0x1.45328ep-1f
#define ERFC_2 0x1.b32568p-4f
#define ERFC_3 -0x1.855122p-6f
#define ERFC_4 0x1.dd6ba8p-9f
#define ERFC_5 -0x1.52795cp-12f
#define ERFC_6 0x1.78d116p-17f
#define ROOT_HALF 0x1.6a09e6p-1f

__device__ __forceinline__ float power_of_two(int exponent) { return __int_as_float((exponent + 127) << 23); }

// Elementary.exp.
__device__ __forceinline__ float exp_exact(float x) {
  float c = x < EXP_MIN ? EXP_MIN : x;
  c = c > EXP_MAX ? EXP_MAX : c;
  float t = __fmaf_rn(c, LOG2_E, ROUNDER);
  float n = __fsub_rn(t, ROUNDER);
  float r = __fmaf_rn(n, -LN2_HIGH, c);
  r = __fmaf_rn(n, -LN2_LOW, r);
  float q = __fmaf_rn(EXP_4, r, EXP_3);
  q = __fmaf_rn(q, r, EXP_2);
  q = __fmaf_rn(q, r, EXP_1);
  q = __fmaf_rn(q, r, EXP_0);
  float s = __fmul_rn(r, r);
  float y = __fmaf_rn(q, s, r);
  y = __fadd_rn(y, 1.0f);
  int exponent = __float_as_int(t) - __float_as_int(ROUNDER);
  int half = exponent >> 1;
  return __fmul_rn(__fmul_rn(y, power_of_two(half)), power_of_two(exponent - half));
}

// Elementary.tanh.
__device__ __forceinline__ float tanh_exact(float x) {
  float a = fabsf(x);
  if (a < TANH_SMALL) {
    float s = __fmul_rn(x, x);
    float q = __fmaf_rn(TANH_5, s, TANH_4);
    q = __fmaf_rn(q, s, TANH_3);
    q = __fmaf_rn(q, s, TANH_2);
    q = __fmaf_rn(q, s, TANH_1);
    q = __fmaf_rn(q, s, TANH_0);
    q = __fmul_rn(q, s);
    return __fmaf_rn(q, x, x);
  }
  float c = a > 16.0f ? 16.0f : a;
  float y = __fsub_rn(1.0f, __fdiv_rn(2.0f, __fadd_rn(exp_exact(__fadd_rn(c, c)), 1.0f)));
  return x < 0.0f ? -y : y;
}

// Elementary.erf.
__device__ __forceinline__ float erf_exact(float x) {
  float a = fabsf(x);
  if (a < ERF_SMALL) {
    float s = __fmul_rn(x, x);
    float q = __fmaf_rn(ERF_6, s, ERF_5);
    q = __fmaf_rn(q, s, ERF_4);
    q = __fmaf_rn(q, s, ERF_3);
    q = __fmaf_rn(q, s, ERF_2);
    q = __fmaf_rn(q, s, ERF_1);
    q = __fmaf_rn(q, s, ERF_0);
    return __fmaf_rn(q, x, x);
  }
  float t = a > ERF_MAX ? ERF_MAX : a;
  float q = __fmaf_rn(ERFC_6, t, ERFC_5);
  q = __fmaf_rn(q, t, ERFC_4);
  q = __fmaf_rn(q, t, ERFC_3);
  q = __fmaf_rn(q, t, ERFC_2);
  q = __fmaf_rn(q, t, ERFC_1);
  q = __fmaf_rn(q, t, ERFC_0);
  float y = __fsub_rn(1.0f, exp_exact(__fmaf_rn(-q, t, -t)));
  return x < 0.0f ? -y : y;
}

// Elementary.sigmoid.
__device__ __forceinline__ float sigmoid_exact(float x) {
  float e = exp_exact(-fabsf(x));
  float numerator = x < 0.0f ? e : 1.0f;
  return __fdiv_rn(numerator, __fadd_rn(1.0f, e));
}

// Elementary.gelu.
__device__ __forceinline__ float gelu_exact(float x) {
  return __fmul_rn(__fmul_rn(0.5f, x), __fadd_rn(1.0f, erf_exact(__fmul_rn(x, ROOT_HALF))));
}

// docs/numerics.md, swiglu: (g * sigmoid(g)) * u.
__device__ __forceinline__ float swiglu_exact(float gate, float up) {
  return __fmul_rn(__fmul_rn(gate, sigmoid_exact(gate)), up);
}
