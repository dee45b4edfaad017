// How the splits of one query's attention become its result (docs/numerics.md, "Attention"; CPU twin Kernels.attention over
// KeyValuePages): their chains are added in ascending order; splits without a visible key are left out.
#pragma once

#include "fault.cuh"

#define SPLIT 1024

__device__ __forceinline__ int first_visible(int position, int window) {
  return window > 0 && position + 1 > window ? position + 1 - window : 0;
}

// combined (heads * d), with room for `heads` floats more: ((the chains of the splits from `start` to `last`, added) + 0) / z, of all
// heads of a row whose chains are (heads, splits, d + 1). Every thread writes and may read its own elements threadIdx.x, threadIdx.x +
// blockDim.x, ... and gets the largest magnitude among them. A fault of op names `first_index` plus the element.
__device__ __forceinline__ float combine_row(const float* chain, int start, int last, int splits, int heads, int d, float* combined,
                                             int first_index, unsigned long long* fault, int op) {
  int cols = heads * d;
  float* z = combined + cols;
  for (int head = threadIdx.x; head < heads; head += blockDim.x) {
    const float* lines = chain + (size_t)head * splits * (d + 1);
    float sum = lines[(size_t)start * (d + 1) + d];
    for (int s = start + 1; s <= last; s++) {
      sum = __fadd_rn(sum, lines[(size_t)s * (d + 1) + d]);
    }
    z[head] = sum;
  }
  __syncthreads();
  float amax = 0.0f;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) {
    int head = i / d;
    int c = i % d;
    const float* lines = chain + (size_t)head * splits * (d + 1);
    float total = lines[(size_t)start * (d + 1) + c];
    for (int s = start + 1; s <= last; s++) {
      total = __fadd_rn(total, lines[(size_t)s * (d + 1) + c]);
    }
    float value = __fdiv_rn(__fadd_rn(total, 0.0f), z[head]);
    combined[i] = value;
    check_finite(fault, op, first_index + i, value);
    amax = fmaxf(amax, fabsf(value));
  }
  return amax;
}
