// gelu: y = (0.5 * x) * (1 + erf(x * c)), c = 1 / sqrt 2 rounded.
//
// CPU twin: Kernels.gelu. There is no sum. Memory: every input is read once and y written once, coalesced.
// Grid (rows, ceil(cols / 1024)), block 256. y may be an input. Rows at or past *rows are left alone.
#include "elementary.cuh"
#include "fault.cuh"

// x and y (rows, cols).
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
