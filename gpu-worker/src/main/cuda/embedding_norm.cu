// The beginning of BERT (docs/numerics.md): layerNorm((word(id) + type 0) + position), row by row; layer_norm.cuh has the norm.
//
// CPU twins: Kernels.embedding, addBias, embedding, add and layerNorm, one after the other; embedding_norm_i8 then also the
// quantisation of rows in i8-v1. Memory: a row of the words and one of the positions are read once, results written once. Grid (rows),
// block 256. Rows at or past *rows are left alone.
#include "layer_norm.cuh"
#include "quantise.cuh"

__device__ __forceinline__ float begin(const float* words, const float* type, const float* places, const int* ids, const int* positions,
                                       const float* gain, const float* bias, float eps, float* y, int row, int cols,
                                       unsigned long long* fault, int op, float* shared) {
  const float* word = words + (size_t)ids[row] * cols;
  const float* place = places + (size_t)positions[row] * cols;
  // A thread reads again what it wrote itself.
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float typed = __fadd_rn(word[c], type[c]);
    check_finite(fault, op, row * cols + c, typed);
    float placed = __fadd_rn(typed, place[c]);
    check_finite(fault, op + 1, row * cols + c, placed);
    y[c] = placed;
  }
  return norm_row(y, gain, bias, eps, y, row, cols, fault, op + 2, shared);
}

// words (V, cols), type (cols), places (P, cols), ids and positions (rows), gain and bias (cols), y (rows, cols). op names the sum with
// the type, op + 1 the sum with the position, op + 2 the sum of squares and op + 3 the result in a fault.
extern "C" __global__ void embedding_norm(const float* words, const float* type, const float* places, const int* ids, const int* positions,
                                          const float* gain, const float* bias, float eps, float* y, const int* rows, int cols,
                                          unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  begin(words, type, places, ids, positions, gain, bias, eps, y + (size_t)row * cols, row, cols, fault, op, shared);
}

// As embedding_norm, and the result quantised beside it: q (rows, pitch) with 0 behind the columns, scale (rows).
extern "C" __global__ void embedding_norm_i8(const float* words, const float* type, const float* places, const int* ids,
                                             const int* positions, const float* gain, const float* bias, float eps, float* y,
                                             signed char* q, float* scale, int pitch, const int* rows, int cols, unsigned long long* fault,
                                             int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  float* target = y + (size_t)row * cols;
  float amax = begin(words, type, places, ids, positions, gain, bias, eps, target, row, cols, fault, op, shared);
  quantise_own(target, amax, q, scale, pitch, row, cols, shared);
}
