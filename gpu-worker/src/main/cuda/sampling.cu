// sampling: from the logits of a step to tokens, by docs/numerics.md, "Sampling". What cannot be done here (a sum that is not
// finite, whose error only the host can tell; more than 256 candidates before topP is reached) leaves -1, and the host chooses.
//
// CPU twin: Sampler. Order of the sums: the softmax's is a lane sum; weights are summed in chains over blocks of 512 candidates,
// each chain by one thread from shared memory, and the blocks' totals in ascending order by one thread. Every weight is computed
// where it is needed, z alone is stored. Memory: logits are read once, z is written once and read four times, from the cache
// mostly. Draws at or past *count are left alone.
#include "draws.cuh"
#include "elementary.cuh"
#include "lanes.cuh"
#include "ranking.cuh"

#define BLOCK 512
#define CHOOSERS 256

__device__ __forceinline__ bool is_finite(float value) { return (__float_as_uint(value) & 0x7f800000u) != 0x7f800000u; }

// logits (rows, cols), z (draws, cols) = logits * (1 / temperature). Grid (draws, pieces), block 256.
extern "C" __global__ void sample_scale(const float* logits, int cols, const Draw* draws, const int* count, float* z, int* tokens) {
  int d = blockIdx.x;
  if (d >= *count) {
    return;
  }
  const float* source = logits + (size_t)draws[d].row * cols;
  float inverse = draws[d].inverse;
  bool finite = true;
  for (int c = blockIdx.y * blockDim.x + threadIdx.x; c < cols; c += gridDim.y * blockDim.x) {
    float value = __fmul_rn(source[c], inverse);
    finite = finite && is_finite(value);
    z[(size_t)d * cols + c] = value;
  }
  if (!finite) {
    leave_to_host(tokens, d);
  }
}

// Writes z again for the tokens that have a bias or pay a penalty. Grid (draws, pieces), block 256.
extern "C" __global__ void sample_change(const float* logits, int cols, const Draw* draws, const Change* changes, const int* count, float* z,
                                         int* tokens) {
  int d = blockIdx.x;
  if (d >= *count) {
    return;
  }
  Draw draw = draws[d];
  const float* source = logits + (size_t)draw.row * cols;
  for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < draw.changes; i += gridDim.y * blockDim.x) {
    Change change = changes[draw.first_change + i];
    float l = source[change.token];
    if (change.kinds & BIASED) {
      l = __fadd_rn(l, change.bias);
    }
    if (change.kinds & PENALISED) {
      if (draw.repetition != 1.0f) {
        l = l > 0.0f ? __fdiv_rn(l, draw.repetition) : __fmul_rn(l, draw.repetition);
      }
      if (change.generated > 0) {
        l = __fsub_rn(__fsub_rn(l, __fmul_rn((float)change.generated, draw.frequency)), draw.presence);
      }
    }
    float value = __fmul_rn(l, draw.inverse);
    if (!is_finite(value)) {
      leave_to_host(tokens, d);
    }
    z[(size_t)d * cols + change.token] = value;
  }
}

// norms (draws, 2): the lane sum of exp(z - m), and the least weight that is not dropped. best (draws) is what argmax left of z.
// Grid (draws), block 256.
extern "C" __global__ void sample_norm(const float* z, int cols, const Draw* draws, const unsigned long long* best, const int* count,
                                       float* norms) {
  __shared__ float shared[LANES];
  int d = blockIdx.x;
  if (d >= *count || is_greedy(draws[d])) {
    return;
  }
  const float* source = z + (size_t)d * cols;
  float most = source[ranked_index(best[d])];
  float lane = 0.0f;
  float largest = 0.0f;
  for (int c = threadIdx.x; c < cols; c += LANES) {
    float p = exp_exact(__fsub_rn(source[c], most));
    lane = __fadd_rn(lane, p);
    largest = fmaxf(largest, p);
  }
  float total = lane_tree(lane, shared);
  largest = block_max(largest, shared);
  if (threadIdx.x == 0) {
    norms[2 * d] = total;
    // Division by the total keeps the order, so the largest weight is that of the largest power.
    norms[2 * d + 1] = draws[d].min_p > 0.0f ? __fmul_rn(draws[d].min_p, __fdiv_rn(largest, total)) : 0.0f;
  }
}

// What turns a z into a weight.
struct Weights {
  float most;
  float total;
  float least;

  __device__ __forceinline__ float of(float z) const {
    float w = __fdiv_rn(exp_exact(__fsub_rn(z, most)), total);
    return w < least ? 0.0f : w;
  }
};

__device__ __forceinline__ Weights weights_of(const float* z, const unsigned long long* best, const float* norms, int d) {
  return {z[ranked_index(best[d])], norms[2 * d], norms[2 * d + 1]};
}

// totals (draws, ceil(cols / 512)): each block's chain over tokens by ascending id, where nothing cuts them by number. Grid
// (draws, ceil(cols / 512)), block 128.
extern "C" __global__ void sample_blocks(const float* z, int cols, const Draw* draws, const unsigned long long* best, const int* count,
                                         const float* norms, float* totals) {
  __shared__ float shared[BLOCK];
  int d = blockIdx.x;
  if (d >= *count || is_greedy(draws[d]) || draws[d].top_k > 0) {
    return;
  }
  const float* source = z + (size_t)d * cols;
  Weights weights = weights_of(source, best, norms, d);
  int first = blockIdx.y * BLOCK;
  int length = min(BLOCK, cols - first);
  for (int i = threadIdx.x; i < length; i += blockDim.x) {
    shared[i] = weights.of(source[first + i]);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    float chain = 0.0f;
    for (int i = 0; i < length; i++) {
      chain = __fadd_rn(chain, shared[i]);
    }
    totals[(size_t)d * gridDim.y + blockIdx.y] = chain;
  }
}

// The first block whose end has S above the threshold, and S before it; the sum of all where the threshold is infinite.
struct Reached {
  int block;
  float before;
};

// All threads of the block call it; the first thread's result counts.
__device__ __forceinline__ Reached reach(const float* totals, int blocks, float threshold, float* shared) {
  Reached reached = {-1, 0.0f};
  for (int first = 0; first < blocks; first += BLOCK) {
    int length = min(BLOCK, blocks - first);
    for (int i = threadIdx.x; i < length; i += CHOOSERS) {
      shared[i] = totals[first + i];
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      for (int i = 0; i < length && reached.block < 0; i++) {
        float sum = __fadd_rn(reached.before, shared[i]);
        if (sum > threshold) {
          reached.block = first + i;
        } else {
          reached.before = sum;
        }
      }
    }
    __syncthreads();
  }
  return reached;
}

// The first of `length` weights with S above the threshold, or -1.
__device__ __forceinline__ int choose(const float* weights, int length, float before, float threshold) {
  float chain = 0.0f;
  for (int i = 0; i < length; i++) {
    chain = __fadd_rn(chain, weights[i]);
    if (__fadd_rn(before, chain) > threshold) {
      return i;
    }
  }
  return -1;
}

// keys (draws, stride) are what top_keys.cu left; totals as sample_blocks writes them. tokens (draws) becomes the token, or stays or
// becomes -1. Grid (draws), block 256.
extern "C" __global__ void __launch_bounds__(CHOOSERS) sample_choose(const float* z, int cols, const Draw* draws,
                                                                     const unsigned long long* best, const int* count, const float* norms,
                                                                     const float* totals, const unsigned long long* keys, int stride,
                                                                     int* tokens) {
  __shared__ float shared[BLOCK];
  __shared__ Reached found;
  __shared__ float limit_shared;
  int d = blockIdx.x;
  if (d >= *count) {
    return;
  }
  Draw draw = draws[d];
  bool host = tokens[d] < 0;
  // Nobody writes the token before everybody has read it.
  __syncthreads();
  if (host) {
    return;
  }
  if (is_greedy(draw)) {
    if (threadIdx.x == 0) {
      tokens[d] = ranked_index(best[d]);
    }
    return;
  }
  const float* source = z + (size_t)d * cols;
  Weights weights = weights_of(source, best, norms, d);
  int blocks = (cols + BLOCK - 1) / BLOCK;
  float infinity = __int_as_float(0x7f800000);
  float total = draw.top_k > 0 ? 0.0f : reach(totals + (size_t)d * blocks, blocks, infinity, shared).before;
  if (is_ranked(draw)) {
    const unsigned long long* ranks = keys + (size_t)d * stride;
    int limit = draw.top_k > 0 ? min(draw.top_k, cols) : cols;
    int ranked = min(limit, RANKED);
    if ((int)threadIdx.x < ranked) {
      shared[threadIdx.x] = weights.of(source[ranked_index(ranks[threadIdx.x])]);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      if (draw.top_k > 0) {
        for (int i = 0; i < ranked; i++) {
          total = __fadd_rn(total, shared[i]);
        }
      }
      int kept = ranked;
      bool reached = true;
      if (draw.top_p < 1.0f) {
        float wanted = __fmul_rn(draw.top_p, total);
        float sum = 0.0f;
        reached = false;
        for (int i = 0; i < ranked && !reached; i++) {
          sum = __fadd_rn(sum, shared[i]);
          reached = sum >= wanted;
          kept = i + 1;
        }
        total = sum;
      }
      // Where no candidate reaches it, all stay, and these may not be all.
      int chosen = reached || ranked == limit ? choose(shared, kept, 0.0f, __fmul_rn(draw.u, total)) : -1;
      tokens[d] = chosen < 0 ? -1 : ranked_index(ranks[chosen]);
    }
    return;
  }
  if (threadIdx.x == 0) {
    limit_shared = __fmul_rn(draw.u, total);
  }
  __syncthreads();
  float threshold = limit_shared;
  Reached reached = reach(totals + (size_t)d * blocks, blocks, threshold, shared);
  if (threadIdx.x == 0) {
    found = reached;
  }
  __syncthreads();
  if (found.block < 0) {
    if (threadIdx.x == 0) {
      tokens[d] = -1;
    }
    return;
  }
  int first = found.block * BLOCK;
  int length = min(BLOCK, cols - first);
  for (int i = threadIdx.x; i < length; i += CHOOSERS) {
    shared[i] = weights.of(source[first + i]);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    int chosen = choose(shared, length, found.before, threshold);
    tokens[d] = chosen < 0 ? -1 : first + chosen;
  }
}
