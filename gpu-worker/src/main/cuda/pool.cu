// pooling (docs/numerics.md): from the vectors of a text's tokens to the text's own.
//
// CPU twins: Pool, and Kernels.laneSumOfSquares for the length. The mean is, for every component, the ascending chain over the tokens
// that starts with the first, divided by their number. A normalised vector is divided by the square root of its lane sum of
// squares, or by 1e-12 if that is more; thread j of 256 is lane j. Memory: x is read once, y written once or twice. Grid (texts), block
// 256. Texts at or past *texts are left alone.
#include "fault.cuh"
#include "lanes.cuh"

#define MEAN 0
#define FIRST 1
#define LENGTH_MIN 1e-12f

// x (rows, cols); spans (texts, 2): first row and number of rows of each text; y (texts, cols). mode is MEAN, FIRST, or else the last
// token's vector is taken. op names a sum of squares, by its text, and op + 1 an element of the result in a fault.
extern "C" __global__ void pool(const float* x, const int* spans, float* y, const int* texts, int cols, int mode, int normalised,
                                unsigned long long* fault, int op) {
  __shared__ float shared[LANES];
  int text = blockIdx.x;
  if (text >= *texts) {
    return;
  }
  int rows = spans[text * 2 + 1];
  const float* first = x + (size_t)spans[text * 2] * cols;
  float* target = y + (size_t)text * cols;
  float lane = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float value = first[c + (mode == MEAN || mode == FIRST ? 0 : (size_t)(rows - 1) * cols)];
    if (mode == MEAN) {
#pragma unroll 8
      for (int row = 1; row < rows; row++) {
        value = __fadd_rn(value, first[(size_t)row * cols + c]);
      }
      value = __fdiv_rn(value, (float)rows);
    }
    target[c] = value;
    lane = __fmaf_rn(value, value, lane);
    if (!normalised) {
      check_finite(fault, op + 1, text * cols + c, value);
    }
  }
  if (!normalised) {
    return;
  }
  float squares = lane_tree(lane, shared);
  if (threadIdx.x == 0) {
    check_finite(fault, op, text, squares);
  }
  float length = fmaxf(LENGTH_MIN, __fsqrt_rn(squares));
  // A thread reads what it wrote itself.
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float value = __fdiv_rn(target[c], length);
    target[c] = value;
    check_finite(fault, op + 1, text * cols + c, value);
  }
}
