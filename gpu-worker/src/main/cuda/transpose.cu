// The layout of a weight of profile f32-v1 on the device, made once when it is loaded: w (N, K) of f32, bf16 or f16 becomes
// (K, pitch) f32, so that neighbouring threads own neighbouring outputs and still read side by side. Widening is exact.
//
// CPU twin: Kernels.pack in profile f32-v1 (a copy in another order). There is no sum. Memory: read and written once, both
// coalesced by way of shared memory. Grid (ceil(K / 32), ceil(N / 32)), block 256. Columns at or past N stay as they are.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float widen(__half x) { return __half2float(x); }

template <typename T>
__device__ __forceinline__ void transpose(const T* w, float* target, int n_count, int k_count, int pitch) {
  __shared__ float tile[32][33];
  int k0 = blockIdx.x * 32;
  int n0 = blockIdx.y * 32;
  int lane = threadIdx.x & 31;
  for (int i = threadIdx.x >> 5; i < 32; i += 8) {
    if (n0 + i < n_count && k0 + lane < k_count) {
      tile[i][lane] = widen(w[(size_t)(n0 + i) * k_count + k0 + lane]);
    }
  }
  __syncthreads();
  for (int i = threadIdx.x >> 5; i < 32; i += 8) {
    if (k0 + i < k_count && n0 + lane < n_count) {
      target[(size_t)(k0 + i) * pitch + n0 + lane] = tile[lane][i];
    }
  }
}

// w (n_count, k_count), target (k_count, pitch).
extern "C" __global__ void transpose_f32(const float* w, float* target, int n_count, int k_count, int pitch) {
  transpose(w, target, n_count, k_count, pitch);
}

// As transpose_f32 for bf16.
extern "C" __global__ void transpose_bf16(const __nv_bfloat16* w, float* target, int n_count, int k_count, int pitch) {
  transpose(w, target, n_count, k_count, pitch);
}

// As transpose_f32 for f16.
extern "C" __global__ void transpose_f16(const __half* w, float* target, int n_count, int k_count, int pitch) {
  transpose(w, target, n_count, k_count, pitch);
}
