// swiglu: y = (gate * sigmoid(gate)) * up.
//
// CPU twin: Kernels.swiglu. There is no sum. Memory: every input is read once and y written once, coalesced.
// Grid (rows, ceil(cols / 1024)), block 256. y may be an input. Rows at or past *rows are left alone.
#include "elementary.cuh"
#include "fault.cuh"

// gate, up and y (rows, cols).
extern "C" __global__ void swiglu(const float* gate, const float* up, float* y, const int* rows, int cols, unsigned long long* fault, int op) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  int end = min(cols, (int)(blockIdx.y + 1) * 1024);
  for (int c = blockIdx.y * 1024 + threadIdx.x; c < end; c += blockDim.x) {
    size_t i = (size_t)row * cols + c;
    float value = swiglu_exact(gate[i], up[i]);
    y[i] = value;
    check_finite(fault, op, (int)i, value);
  }
}

// As swiglu for gates and ups that lie side by side: x (rows, 2 * cols), the gates first; y (rows, cols). y may not be x.
extern "C" __global__ void swiglu_halves(const float* x, float* y, const int* rows, int cols, unsigned long long* fault, int op) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  int end = min(cols, (int)(blockIdx.y + 1) * 1024);
  for (int c = blockIdx.y * 1024 + threadIdx.x; c < end; c += blockDim.x) {
    float value = swiglu_exact(x[(size_t)row * 2 * cols + c], x[((size_t)row * 2 + 1) * cols + c]);
    y[(size_t)row * cols + c] = value;
    check_finite(fault, op, row * cols + c, value);
  }
}
