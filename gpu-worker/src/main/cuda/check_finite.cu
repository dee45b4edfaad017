// checkFinite: looks for NaN and infinity in values that came from outside, as weights do.
//
// CPU twin: Kernels.checkFinite. There is no sum. Memory: x is read once. Grid of any size, block 256. A fault of op carries
// the lowest index, counted from `first`.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "fault.cuh"

// x (count) f32.
extern "C" __global__ void check_finite_f32(const float* x, long long count, int first, unsigned long long* fault, int op) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
    check_finite(fault, op, first + (int)i, x[i]);
  }
}

// x (count) bf16.
extern "C" __global__ void check_finite_bf16(const __nv_bfloat16* x, long long count, int first, unsigned long long* fault, int op) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
    check_finite(fault, op, first + (int)i, __bfloat162float(x[i]));
  }
}

// x (count) f16.
extern "C" __global__ void check_finite_f16(const __half* x, long long count, int first, unsigned long long* fault, int op) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
    check_finite(fault, op, first + (int)i, __half2float(x[i]));
  }
}
