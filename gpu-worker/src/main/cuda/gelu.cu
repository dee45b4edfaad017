// gelu: y = (0.5 * x) * (1 + erf(x * c)), c = 1 / sqrt 2 rounded.
//
// CPU twins: Kernels.gelu; gelu_i8 then also Kernels' quantisation of rows in i8-v1. There is no sum. Memory: every input is read once
// and y written once, coalesced. Rows at or past *rows are left alone.
#include "elementary.cuh"
#include "fault.cuh"
#include "quantise.cuh"

// x and y (rows, cols). y may be x. Grid (rows, ceil(cols / 1024)), block 256.
extern "C" __global__ void gelu(const float* x, float* y, const int* rows, int cols, unsigned long long* fault, int op) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  int end = min(cols, (int)(blockIdx.y + 1) * 1024);
  for (int c = blockIdx.y * 1024 + threadIdx.x; c < end; c += blockDim.x) {
    size_t i = (size_t)row * cols + c;
    float value = gelu_exact(x[i]);
    y[i] = value;
    check_finite(fault, op, (int)i, value);
  }
}

// x (rows, cols) becomes gelu(x), and that quantised: q (rows, pitch) with 0 behind the columns, scale (rows). Grid (rows), block a
// multiple of 32.
extern "C" __global__ void gelu_i8(float* x, signed char* q, float* scale, int pitch, const int* rows, int cols, unsigned long long* fault,
                                   int op) {
  __shared__ float shared[32];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  float* values = x + (size_t)row * cols;
  float amax = 0.0f;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) {
    float value = gelu_exact(values[c]);
    check_finite(fault, op, row * cols + c, value);
    values[c] = value;
    amax = fmaxf(amax, fabsf(value));
  }
  quantise_own(values, amax, q, scale, pitch, row, cols, shared);
}
