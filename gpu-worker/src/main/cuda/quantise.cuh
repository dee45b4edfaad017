// Profile i8-v1's quantisation of one number (docs/numerics.md): q = round-half-to-even(x / s), clamped to [-127, 127];
// with s = +0, which only a row of zeros or of numbers below 127 / 2 smallest subnormals has, q = 0.
#pragma once

__device__ __forceinline__ int quantise_one(float x, float scale) {
  if (scale == 0.0f) {
    return 0;
  }
  int q = __float2int_rn(__fdiv_rn(x, scale));
  return max(-127, min(127, q));
}
