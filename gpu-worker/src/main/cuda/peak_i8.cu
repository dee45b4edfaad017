// How fast the device's tensor cores multiply bytes and add 32-bit integers when nothing else holds them up: the ceiling that
// i8-v1's products of many rows are measured against, as mma.sync reaches it.
// Architecture: compute_80
//
// CPU twin: none; the result is exact integer arithmetic, so the test computes it. Every warp carries 8 accumulators of 16 x 8 numbers
// and adds the same product of 16 x 32 and 32 x 8 bytes, all equal to `a` and `b`, `steps` times to each; so every element ends as
// 32 * steps * a * b, modulo 2^32. Memory: one store a thread. Grid of any size, block 256. 2 * 16 * 8 * 32 * 8 * steps
// operations a warp.

#define TILES 8

// y (threads of the launch): the sum of the thread's accumulators, 4 * TILES elements.
extern "C" __global__ void __launch_bounds__(256) peak_i8(int* y, int a, int b, int steps) {
  // Four equal bytes in every register.
  unsigned int a4 = (a & 0xff) * 0x01010101u;
  unsigned int b4 = (b & 0xff) * 0x01010101u;
  int acc[TILES][4];
#pragma unroll
  for (int i = 0; i < TILES; i++) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      acc[i][r] = 0;
    }
  }
#pragma unroll 2
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int i = 0; i < TILES; i++) {
      asm volatile(
          "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %4, %4, %4}, {%5, %5}, {%0, %1, %2, %3};"
          : "+r"(acc[i][0]), "+r"(acc[i][1]), "+r"(acc[i][2]), "+r"(acc[i][3])
          : "r"(a4), "r"(b4));
    }
  }
  unsigned int sum = 0;
#pragma unroll
  for (int i = 0; i < TILES; i++) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      sum += (unsigned int)acc[i][r];
    }
  }
  y[blockIdx.x * blockDim.x + threadIdx.x] = (int)sum;
}
