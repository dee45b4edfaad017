// The order of tokens by likelihood (CPU twin: Ranking): descending value, equal ones by ascending index, +0 equal to -0.
#pragma once

// The larger, the earlier in the order; every key of a row is different and above 0. ~index is its low word.
__device__ __forceinline__ unsigned long long ranking_key(float value, int index) {
  // Adding +0 turns -0 into +0.
  int bits = __float_as_int(__fadd_rn(value, 0.0f));
  unsigned int ordered = bits < 0 ? ~(unsigned int)bits : (unsigned int)bits | 0x80000000u;
  return ((unsigned long long)ordered << 32) | (unsigned int)~index;
}

__device__ __forceinline__ int ranked_index(unsigned long long key) { return ~(int)(unsigned int)key; }
