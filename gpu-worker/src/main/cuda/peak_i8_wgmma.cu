// How fast Hopper's tensor cores multiply bytes and add 32-bit integers by wgmma, which is faster there than mma.sync (peak_i8.cu), when
// nothing else holds them up: the ceiling that i8-v1's products of many rows are measured against.
// Architecture: compute_90a
//
// CPU twin: none; the result is exact integer arithmetic, so the test computes it. Both warp groups of a block multiply the same tiles of
// 64 x 128 and 256 x 128 bytes in shared memory, all equal to `a` and `b`, 32 bytes of k a step and `steps` times, so every element ends
// as 32 * steps * a * b, modulo 2^32. Memory: one store a thread. Grid of any size, block 256. 2 * 64 * 256 * 32 * steps operations a
// warp group.
#include "wgmma.cuh"

#define DEPTH 128
#define TM 64
#define TN 256
#define SUMS (TN / 2)

// y (threads of the launch): the sum of the thread's accumulators, SUMS elements.
extern "C" __global__ void __launch_bounds__(256, 1) peak_i8_wgmma(int* y, int a, int b, int steps) {
  __shared__ __align__(1024) unsigned int tiles[(TM + TN) * DEPTH / 4];
  // Four equal bytes in every word.
  unsigned int a4 = (a & 0xff) * 0x01010101u;
  unsigned int b4 = (b & 0xff) * 0x01010101u;
  for (int i = threadIdx.x; i < (TM + TN) * DEPTH / 4; i += blockDim.x) {
    tiles[i] = i < TM * DEPTH / 4 ? a4 : b4;
  }
  // What was stored is read by wgmma through the asynchronous proxy.
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  unsigned long long left = descriptor(shared_address(tiles));
  unsigned long long right = descriptor(shared_address(tiles) + TM * DEPTH);
  int acc[SUMS];
#pragma unroll
  for (int i = 0; i < SUMS; i++) {
    acc[i] = 0;
  }
#pragma unroll 4
  for (int step = 0; step < steps; step++) {
    // 32 bytes of k further is 2 units of the address.
    int k = 2 * (step & 3);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    multiply_add(acc, left + k, right + k);
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  }
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  unsigned int sum = 0;
#pragma unroll
  for (int i = 0; i < SUMS; i++) {
    asm volatile("" : "+r"(acc[i])::"memory");
    sum += (unsigned int)acc[i];
  }
  y[blockIdx.x * blockDim.x + threadIdx.x] = (int)sum;
}
