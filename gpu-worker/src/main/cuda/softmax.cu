// softmax: m = max of the row; p = exp(x - m); y = p / (lane sum of p).
//
// CPU twin: Kernels.softmax. The order of the sum: thread j of 256 is lane j, ascending; then the halving tree. Memory: a row is
// read three times, from the cache after the first, and y is written once; p is computed twice rather than stored. Grid
// (rows), block 256. Rows at or past *rows are left alone.
#include "elementary.cuh"
#include "fault.cuh"
#include "lanes.cuh"

// x and y (rows, cols). y may be x.
extern "C" __global__ void softmax(const float* x, float* y, const int* rows, int cols, unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  const float* source = x + (size_t)row * cols;
  float* target = y + (size_t)row * cols;
  float most = __int_as_float(0xff800000);
  for (int c = threadIdx.x; c < cols; c += LANES) {
    most = fmaxf(most, source[c]);
  }
  most = block_max(most, shared);
  float lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    lane = __fadd_rn(lane, exp_exact(__fsub_rn(source[c], most)));
  }
  float total = lane_tree(lane, shared);
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float value = __fdiv_rn(exp_exact(__fsub_rn(source[c], most)), total);
    target[c] = value;
    check_finite(fault, op, row * cols + c, value);
  }
}
