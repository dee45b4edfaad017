// The 256 largest of every row of logits, in order, as a tournament: blocks of 1024 keys are sorted and send their first 256 on,
// until one block is left.
//
// CPU twin: Ranking.best. There is no sum; keys of one row are all different, so the order is one alone, and a bitonic sort (55
// rounds of exchanges in shared memory) finds it. Memory: z is read once, then a quarter as many keys as values or keys were
// read are written in every round. Grid (draws, ceil(count / 1024)), block 512. Draws at or past *count, and those whose
// candidates nothing restricts, are left alone.
#include "draws.cuh"
#include "ranking.cuh"

#define PIECE 1024
#define SORTERS (PIECE / 2)

// Sorts descending.
__device__ __forceinline__ void sort_piece(unsigned long long* keys) {
  int t = threadIdx.x;
  for (int run = 2; run <= PIECE; run <<= 1) {
    for (int apart = run >> 1; apart > 0; apart >>= 1) {
      __syncthreads();
      int i = 2 * apart * (t / apart) + t % apart;
      unsigned long long a = keys[i];
      unsigned long long b = keys[i + apart];
      if ((a < b) == ((i & run) == 0)) {
        keys[i] = b;
        keys[i + apart] = a;
      }
    }
  }
  __syncthreads();
}

// z (draws, cols), each draw's own; keys (draws, stride).
extern "C" __global__ void __launch_bounds__(SORTERS) top_first(const float* z, int cols, const Draw* draws, const int* count,
                                                                unsigned long long* keys, int stride) {
  __shared__ unsigned long long shared[PIECE];
  int draw = blockIdx.x;
  if (draw >= *count || !is_ranked(draws[draw])) {
    return;
  }
  int first = blockIdx.y * PIECE;
  for (int i = threadIdx.x; i < PIECE; i += SORTERS) {
    int c = first + i;
    shared[i] = c < cols ? ranking_key(z[(size_t)draw * cols + c], c) : 0;
  }
  sort_piece(shared);
  if (threadIdx.x < RANKED) {
    keys[(size_t)draw * stride + blockIdx.y * RANKED + threadIdx.x] = shared[threadIdx.x];
  }
}

// from (draws, from_stride) of which each draw has `keys_before`; keys (draws, stride). They do not overlap.
extern "C" __global__ void __launch_bounds__(SORTERS) top_next(const unsigned long long* from, int from_stride, int keys_before,
                                                               const Draw* draws, const int* count, unsigned long long* keys, int stride) {
  __shared__ unsigned long long shared[PIECE];
  int draw = blockIdx.x;
  if (draw >= *count || !is_ranked(draws[draw])) {
    return;
  }
  int first = blockIdx.y * PIECE;
  for (int i = threadIdx.x; i < PIECE; i += SORTERS) {
    shared[i] = first + i < keys_before ? from[(size_t)draw * from_stride + first + i] : 0;
  }
  sort_piece(shared);
  if (threadIdx.x < RANKED) {
    keys[(size_t)draw * stride + blockIdx.y * RANKED + threadIdx.x] = shared[threadIdx.x];
  }
}
