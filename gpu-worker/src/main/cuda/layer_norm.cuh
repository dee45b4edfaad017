// layerNorm of one row (docs/numerics.md): m = (lane sum of x) / n; z = x - m; q = lane sum of squares of z; r = 1 / sqrt(q / n + eps);
// y = fma(z * r, gain, bias). The order of both sums: thread j of 256 is lane j, ascending; then the halving tree.
#pragma once

#include "fault.cuh"
#include "lanes.cuh"

// x and y (cols) of row `row`; y may be x. Gives the largest magnitude that this thread wrote: of the elements threadIdx.x,
// threadIdx.x + 256, ... op names the sum of squares and op + 1 the result in a fault. `shared` holds 256 floats.
__device__ __forceinline__ float norm_row(const float* x, const float* gain, const float* bias, float eps, float* y, int row, int cols,
                                          unsigned long long* fault, int op, float* shared) {
  float lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    lane = __fadd_rn(lane, x[c]);
  }
  float mean = __fdiv_rn(lane_tree(lane, shared), (float)cols);
  lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float z = __fsub_rn(x[c], mean);
    lane = __fmaf_rn(z, z, lane);
  }
  float squares = lane_tree(lane, shared);
  if (threadIdx.x == 0) {
    check_finite(fault, op, row, squares);
  }
  float r = __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(__fdiv_rn(squares, (float)cols), eps)));
  float amax = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float z = __fsub_rn(x[c], mean);
    float value = __fmaf_rn(__fmul_rn(z, r), gain[c], bias[c]);
    y[c] = value;
    check_finite(fault, op + 1, row * cols + c, value);
    amax = fmaxf(amax, fabsf(value));
  }
  return amax;
}
