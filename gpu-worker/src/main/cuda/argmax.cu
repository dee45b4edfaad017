// argmax: the lowest index that holds the row's largest value; +0 and -0 are equal.
//
// CPU twin: Kernels.argmax. There is no sum: a value's order-preserving bits over the complement of its index make a 64-bit
// key whose maximum is the answer, exact in any order, so any number of blocks can share a row. Memory: x is read once. Grid
// (rows, pieces), block 256; best (rows) must be 0 before (rms_norm.cu leaves it so) and is ~index in its low word afterwards. Rows at or past *rows are
// left alone.
#include "ranking.cuh"

// x (rows, cols), best (rows).
extern "C" __global__ void argmax(const float* x, unsigned long long* best, const int* rows, int cols) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  const float* source = x + (size_t)row * cols;
  unsigned long long most = 0;
  for (int c = blockIdx.y * blockDim.x + threadIdx.x; c < cols; c += gridDim.y * blockDim.x) {
    unsigned long long key = ranking_key(source[c], c);
    most = key > most ? key : most;
  }
  for (int h = 16; h > 0; h >>= 1) {
    unsigned long long other = __shfl_xor_sync(0xffffffffu, most, h);
    most = other > most ? other : most;
  }
  if ((threadIdx.x & 31) == 0) {
    atomicMax(best + row, most);
  }
}
