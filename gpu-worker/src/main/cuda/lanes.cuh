// The lane sum's halving tree (docs/numerics.md, "Sums"; CPU twin LaneSums): a block of 256 threads, thread j holding lane
// j. Every thread gets lane 0's total. `shared` holds 256 floats; it may be used again after the return.
#pragma once

#define LANES 256

__device__ __forceinline__ float lane_tree(float lane, float* shared) {
  int j = threadIdx.x;
  shared[j] = lane;
  __syncthreads();
  for (int h = LANES / 2; h >= 32; h >>= 1) {
    if (j < h) {
      shared[j] = __fadd_rn(shared[j], shared[j + h]);
    }
    __syncthreads();
  }
  if (j < 32) {
    float sum = shared[j];
    for (int h = 16; h > 0; h >>= 1) {
      sum = __fadd_rn(sum, __shfl_down_sync(0xffffffffu, sum, h));
    }
    if (j == 0) {
      shared[0] = sum;
    }
  }
  __syncthreads();
  float total = shared[0];
  __syncthreads();
  return total;
}

// The largest of the block's values, exact in any order; blockDim.x is a multiple of 32. `shared` holds 32 floats.
__device__ __forceinline__ float block_max(float value, float* shared) {
  for (int h = 16; h > 0; h >>= 1) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, h));
  }
  if ((threadIdx.x & 31) == 0) {
    shared[threadIdx.x >> 5] = value;
  }
  __syncthreads();
  float most = shared[0];
  for (int w = 1; w < (int)(blockDim.x >> 5); w++) {
    most = fmaxf(most, shared[w]);
  }
  __syncthreads();
  return most;
}
