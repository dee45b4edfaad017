// Sums of integers over the threads of a warp, exact in any order.
#pragma once

// Sums `count` (a power of two up to 32) values over the warp; afterwards value i is whole in the lanes whose upper
// log2(count) bits of the lane's number, first bit highest, say i: in lane i * (32 / count) in particular.
template <int COUNT>
__device__ __forceinline__ int warp_sums(int (&values)[COUNT]) {
  int lane = threadIdx.x & 31;
  int h = 16;
#pragma unroll
  for (int count = COUNT; count > 1; count >>= 1) {
    bool upper = (lane & h) != 0;
#pragma unroll
    for (int i = 0; i < COUNT / 2; i++) {
      if (i < count / 2) {
        int sent = upper ? values[i] : values[i + count / 2];
        int kept = upper ? values[i + count / 2] : values[i];
        values[i] = kept + __shfl_xor_sync(0xffffffffu, sent, h);
      }
    }
    h >>= 1;
  }
  int sum = values[0];
  for (; h > 0; h >>= 1) {
    sum += __shfl_xor_sync(0xffffffffu, sum, h);
  }
  return sum;
}
