// rmsNorm: q = lane sum of squares of a row; r = 1 / sqrt(q / n + eps); y = (x * r) * gain.
//
// CPU twins: Kernels.rmsNorm; the _i8 ones then also Kernels' quantisation of rows in i8-v1 (scale = amax / 127). The order
// of the sum: thread j of 256 is lane j, an fma chain over its elements in ascending order; then the halving tree.
// Memory: a row is read three times at most, from the cache after the first; nothing but the results is written. Grid
// (rows, parts), block 256: a row of x holds `parts` pieces of `cols` elements, one after the other, each normed by itself
// (parts = 1 for a residual row, the heads for qk-norm); rows lie `stride` floats apart. Rows at or past *rows are left alone.
#include "quantise.cuh"
#include "rms_norm.cuh"

// x and y (rows, parts * cols) with rows `stride` and `y_stride` floats apart; gain (cols). y may be x. op names the sum of
// squares and op + 1 the result in a fault.
extern "C" __global__ void rms_norm(const float* x, int stride, const float* gain, float eps, float* y, int y_stride, const int* rows,
                                    int cols, unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  int part = blockIdx.y;
  const float* source = x + (size_t)row * stride + part * cols;
  float* target = y + (size_t)row * y_stride + part * cols;
  int piece = row * gridDim.y + part;
  float r = inverse_root(source, cols, eps, piece, fault, op, shared);
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float value = __fmul_rn(__fmul_rn(source[c], r), gain[c]);
    target[c] = value;
    check_finite(fault, op + 1, piece * cols + c, value);
  }
}

// As rms_norm with parts = 1, its result quantised at once: q (rows, pitch) with +0 behind the columns, scale (rows). The
// normed row itself is never written. Grid (rows).
extern "C" __global__ void rms_norm_i8(const float* x, int stride, const float* gain, float eps, signed char* q, float* scale, int pitch,
                                       const int* rows, int cols, unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  const float* source = x + (size_t)row * stride;
  float r = inverse_root(source, cols, eps, row, fault, op, shared);
  float amax = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float value = __fmul_rn(__fmul_rn(source[c], r), gain[c]);
    check_finite(fault, op + 1, row * cols + c, value);
    amax = fmaxf(amax, fabsf(value));
  }
  amax = block_max(amax, shared);
  float s = __fdiv_rn(amax, 127.0f);
  signed char* target = q + (size_t)row * pitch;
  for (int c = threadIdx.x; c < pitch; c += LANES) {
    target[c] = c < cols ? (signed char)quantise_one(__fmul_rn(__fmul_rn(source[c], r), gain[c]), s) : 0;
  }
  if (threadIdx.x == 0) {
    scale[row] = s;
  }
}

__device__ __forceinline__ float norm_listed(const float* x, const int* list, const float* gain, float eps, float* y,
                                             unsigned long long* best, int row, int cols, unsigned long long* fault, int op,
                                             float* shared) {
  const float* source = x + (size_t)list[row] * cols;
  float* target = y + (size_t)row * cols;
  float r = inverse_root(source, cols, eps, row, fault, op, shared);
  float amax = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float value = __fmul_rn(__fmul_rn(source[c], r), gain[c]);
    target[c] = value;
    check_finite(fault, op + 1, row * cols + c, value);
    amax = fmaxf(amax, fabsf(value));
  }
  if (threadIdx.x == 0 && best != nullptr) {
    best[row] = 0;
  }
  return amax;
}

// The norm of those rows of x that want a result: row list[i] of x becomes row i of y (*rows, cols). best (*rows), or null, is made
// ready for argmax.cu. Faults as in rms_norm, counted by the rows of y.
extern "C" __global__ void rms_norm_listed(const float* x, const int* list, const float* gain, float eps, float* y,
                                           unsigned long long* best, const int* rows, int cols, unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  norm_listed(x, list, gain, eps, y, best, row, cols, fault, op, shared);
}

// As rms_norm_listed, and the result quantised beside it: q (*rows, pitch) with 0 behind the columns, scale (*rows).
extern "C" __global__ void rms_norm_listed_i8(const float* x, const int* list, const float* gain, float eps, float* y, signed char* q,
                                              float* scale, int pitch, unsigned long long* best, const int* rows, int cols,
                                              unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  float amax = norm_listed(x, list, gain, eps, y, best, row, cols, fault, op, shared);
  quantise_own(y + (size_t)row * cols, amax, q, scale, pitch, row, cols, shared);
}
