// Profile i8-v1's quantisation (docs/numerics.md): q = round-half-to-even(x / s), clamped to [-127, 127]; with s = +0, which only a
// row of zeros or of numbers below 127 / 2 smallest subnormals has, q = 0.
#pragma once

#include "lanes.cuh"

__device__ __forceinline__ int quantise_one(float x, float scale) {
  if (scale == 0.0f) {
    return 0;
  }
  int q = __float2int_rn(__fdiv_rn(x, scale));
  return max(-127, min(127, q));
}

// Quantises the row x (cols) of which every thread wrote the elements threadIdx.x, threadIdx.x + blockDim.x, ... and `amax` is the
// largest magnitude among them: row `row` of q (rows, pitch), with 0 behind the columns, and of scale (rows). `shared` holds 32
// floats.
__device__ __forceinline__ void quantise_own(const float* x, float amax, signed char* q, float* scale, int pitch, int row, int cols,
                                             float* shared) {
  float s = __fdiv_rn(block_max(amax, shared), 127.0f);
  signed char* target = q + (size_t)row * pitch;
  for (int c = threadIdx.x; c < pitch; c += blockDim.x) {
    target[c] = c < cols ? (signed char)quantise_one(x[c], s) : 0;
  }
  if (threadIdx.x == 0) {
    scale[row] = s;
  }
}
