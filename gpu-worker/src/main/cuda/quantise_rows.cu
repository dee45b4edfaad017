// quantise rows of profile i8-v1: s = amax / 127 with amax the largest magnitude of the row; q = round-half-to-even(x / s)
// clamped to [-127, 127], or 0 everywhere where s is +0.
//
// CPU twin: the quantisation of Kernels.pack and Kernels.linear in profile i8-v1. There is no sum; the maximum is exact in
// any order. Memory: a row is read twice, the second time from the cache; q is written once. Grid (rows), block 256 to 1024, a
// multiple of 32. Rows at or past *rows are left alone. The same kernels quantise activations and, when a model is loaded,
// weights from what the file holds: f32, bf16 or f16, widened exactly.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "fault.cuh"
#include "lanes.cuh"
#include "quantise.cuh"

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float widen(__half x) { return __half2float(x); }

template <typename T>
__device__ __forceinline__ void quantise(const T* x, int stride, signed char* q, float* scale, int pitch, const int* rows, int cols,
                                         unsigned long long* fault, int op) {
  __shared__ float shared[32];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  const T* source = x + (size_t)row * stride;
  float amax = 0.0f;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) {
    float value = widen(source[c]);
    check_finite(fault, op, row * cols + c, value);
    amax = fmaxf(amax, fabsf(value));
  }
  amax = block_max(amax, shared);
  float s = __fdiv_rn(amax, 127.0f);
  signed char* target = q + (size_t)row * pitch;
  for (int c = threadIdx.x; c < pitch; c += blockDim.x) {
    target[c] = c < cols ? (signed char)quantise_one(widen(source[c]), s) : 0;
  }
  if (threadIdx.x == 0) {
    scale[row] = s;
  }
}

// x (rows, cols) with rows `stride` elements apart; q (rows, pitch) with 0 behind the columns; scale (rows).
extern "C" __global__ void quantise_rows_f32(const float* x, int stride, signed char* q, float* scale, int pitch, const int* rows, int cols,
                                             unsigned long long* fault, int op) {
  quantise(x, stride, q, scale, pitch, rows, cols, fault, op);
}

// As quantise_rows_f32 for bf16.
extern "C" __global__ void quantise_rows_bf16(const __nv_bfloat16* x, int stride, signed char* q, float* scale, int pitch, const int* rows,
                                              int cols, unsigned long long* fault, int op) {
  quantise(x, stride, q, scale, pitch, rows, cols, fault, op);
}

// As quantise_rows_f32 for f16.
extern "C" __global__ void quantise_rows_f16(const __half* x, int stride, signed char* q, float* scale, int pitch, const int* rows, int cols,
                                             unsigned long long* fault, int op) {
  quantise(x, stride, q, scale, pitch, rows, cols, fault, op);
}
