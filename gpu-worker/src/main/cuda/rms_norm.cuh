// What rmsNorm multiplies a row by (docs/numerics.md, "Row by row"; CPU twin Kernels.rmsNorm): 1 / sqrt(q / n + eps) with q the lane
// sum of squares. Thread j of 256 is lane j, an fma chain over its elements in ascending order; then the halving tree.
#pragma once

#include "fault.cuh"
#include "lanes.cuh"

// Every thread of the block gets it. `shared` holds 256 floats; a fault of op names `index`.
__device__ __forceinline__ float inverse_root(const float* x, int cols, float eps, int index, unsigned long long* fault, int op, float* shared) {
  float lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float v = x[c];
    lane = __fmaf_rn(v, v, lane);
  }
  float squares = lane_tree(lane, shared);
  if (threadIdx.x == 0) {
    check_finite(fault, op, index, squares);
  }
  return __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(__fdiv_rn(squares, (float)cols), eps)));
}
