// embedding: y(t, c) = table(ids(t), c), a copy; bf16 and f16 tables widen exactly.
//
// CPU twin: Kernels.embedding (ScalarKernels, VectorKernels). There is no sum.
// Grid (rows, ceil(cols / 1024)), block 256. Memory: reads one table row per token once, writes y once, coalesced; a row
// at or past *rows is left alone.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float widen(__half x) { return __half2float(x); }

template <typename T>
__device__ __forceinline__ void gather(const T* table, const int* ids, float* y, const int* rows, int cols) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  const T* source = table + (size_t)ids[row] * cols;
  float* target = y + (size_t)row * cols;
  int end = min(cols, (int)(blockIdx.y + 1) * 1024);
  for (int c = blockIdx.y * 1024 + threadIdx.x; c < end; c += blockDim.x) {
    target[c] = widen(source[c]);
  }
}

// table (V, cols) f32, ids (rows), y (rows, cols).
extern "C" __global__ void embedding_f32(const float* table, const int* ids, float* y, const int* rows, int cols) {
  gather(table, ids, y, rows, cols);
}

// As embedding_f32 for a bf16 table.
extern "C" __global__ void embedding_bf16(const __nv_bfloat16* table, const int* ids, float* y, const int* rows, int cols) {
  gather(table, ids, y, rows, cols);
}

// As embedding_f32 for an f16 table.
extern "C" __global__ void embedding_f16(const __half* table, const int* ids, float* y, const int* rows, int cols) {
  gather(table, ids, y, rows, cols);
}
