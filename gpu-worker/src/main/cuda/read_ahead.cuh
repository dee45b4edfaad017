// Asks the second-level cache for memory that a later launch reads, while this one waits for something else: nothing is computed
// from it, so it changes no bit. The weights of the next product do not depend on what runs before it.
#pragma once

#define SECTOR 32

// The caller's share of `bytes` from `from` on, 32 at a time: those numbered first, first + step, ...
__device__ __forceinline__ void read_ahead(const char* from, long long bytes, int first, int step) {
  for (long long at = (long long)first * SECTOR; at < bytes; at += (long long)step * SECTOR) {
    asm volatile("prefetch.L2 [%0];" ::"l"(from + at));
  }
}
