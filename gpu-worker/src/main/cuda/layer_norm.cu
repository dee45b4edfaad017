// layerNorm, row by row; layer_norm.cuh says how.
//
// CPU twins: Kernels.layerNorm; layer_norm_i8 then also Kernels' quantisation of rows in i8-v1. Memory: a row is read three times, from
// the cache after the first; results are written once. Grid (rows), block 256. Rows at or past *rows are left alone.
#include "layer_norm.cuh"
#include "quantise.cuh"

// x and y (rows, cols), gain and bias (cols). y may be x. op names the sum of squares and op + 1 the result in a fault.
extern "C" __global__ void layer_norm(const float* x, const float* gain, const float* bias, float eps, float* y, const int* rows, int cols,
                                      unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  norm_row(x + (size_t)row * cols, gain, bias, eps, y + (size_t)row * cols, row, cols, fault, op, shared);
}

// As layer_norm, and the result quantised beside it: q (rows, pitch) with 0 behind the columns, scale (rows). The result itself is
// what a later layer adds to.
extern "C" __global__ void layer_norm_i8(const float* x, const float* gain, const float* bias, float eps, float* y, signed char* q,
                                         float* scale, int pitch, const int* rows, int cols, unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  float* target = y + (size_t)row * cols;
  float amax = norm_row(x + (size_t)row * cols, gain, bias, eps, target, row, cols, fault, op, shared);
  quantise_own(target, amax, q, scale, pitch, row, cols, shared);
}
