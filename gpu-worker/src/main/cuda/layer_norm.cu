// layerNorm: m = (lane sum of x) / n; z = x - m; q = lane sum of squares of z; r = 1 / sqrt(q / n + eps);
// y = fma(z * r, gain, bias).
//
// CPU twin: Kernels.layerNorm. The order of both sums: thread j of 256 is lane j, ascending; then the halving tree.
// Memory: a row is read three times, from the cache after the first; y is written once. Grid (rows), block 256. Rows at or
// past *rows are left alone.
#include "fault.cuh"
#include "lanes.cuh"

// x and y (rows, cols), gain and bias (cols). y may be x. op names the sum of squares and op + 1 the result in a fault.
extern "C" __global__ void layer_norm(const float* x, const float* gain, const float* bias, float eps, float* y, const int* rows, int cols,
                                      unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  const float* source = x + (size_t)row * cols;
  float* target = y + (size_t)row * cols;
  float lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    lane = __fadd_rn(lane, source[c]);
  }
  float mean = __fdiv_rn(lane_tree(lane, shared), (float)cols);
  lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float z = __fsub_rn(source[c], mean);
    lane = __fmaf_rn(z, z, lane);
  }
  float squares = lane_tree(lane, shared);
  if (threadIdx.x == 0) {
    check_finite(fault, op, row, squares);
  }
  float r = __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(__fdiv_rn(squares, (float)cols), eps)));
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float z = __fsub_rn(source[c], mean);
    float value = __fmaf_rn(__fmul_rn(z, r), gain[c], bias[c]);
    target[c] = value;
    check_finite(fault, op + 1, row * cols + c, value);
  }
}
