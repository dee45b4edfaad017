// linear in profile i8-v1 for the one row of a decode, together with what makes the row: rmsNorm, the end of attention, or nothing
// but its quantisation. y(n) = float(acc) * (s * s(n)) (+ bias), acc = sum over k of q(k) * w(n, k), exact in int32, so its order is free.
//
// CPU twins: Kernels.rmsNorm or the end of Kernels.attention, then Kernels.linear on a weight packed in profile i8-v1. Bound by the
// reading of the weight, and by how soon it begins: a launch costs about as much as a megabyte, so every block makes the quantised row for
// itself, in shared memory, while the first 16 pieces of 16 bytes of the weight are on their way to every thread; rows of x come from
// the cache. The sums in it keep their order: lanes and halving tree, splits ascending; the largest magnitude is exact in any order. A
// warp owns 2 or 4 rows of the weight. Block 256; grid ceil(N / (8 * rows of a warp)). Weight rows lie `pitch` bytes apart, a multiple of 16,
// with 0 behind the columns; pitch bytes of shared memory with the launch, and what an entry says. At its end a block asks the cache for its
// share of the ahead_bytes at `ahead`, with which the next launch begins, so that memory does not rest between the two.
#include "attention_splits.cuh"
#include "epilogue.cuh"
#include "quantise.cuh"
#include "ranking.cuh"
#include "read_ahead.cuh"
#include "rms_norm.cuh"
#include "warp_sums.cuh"

#define THREADS 256
#define WARPS (THREADS / 32)
// Pieces of 16 bytes that a thread has under way.
#define HELD 16

extern __shared__ int4 quantised[];

// Volatile, so that it stays before what it is to overlap with. A weight is read once, so it is not kept in the first-level cache.
__device__ __forceinline__ int4 read_weight(const int4* at) {
  int4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.s32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(at));
  return v;
}

// Quantises x(c), which value(c) gives, to the block's row; amax is the largest magnitude of all. Every thread gets the scale.
template <class Value>
__device__ __forceinline__ float quantise_row(float amax, int cols, int pitch, Value value) {
  float s = __fdiv_rn(amax, 127.0f);
  signed char* q = (signed char*)quantised;
#pragma unroll 4
  for (int c = threadIdx.x; c < pitch; c += THREADS) {
    q[c] = c < cols ? (signed char)quantise_one(value(c), s) : 0;
  }
  __syncthreads();
  return s;
}

// prologue(shared) makes the row and gives its scale; `shared` holds 256 floats. largest, or null: for SWIGLU the bits of the largest
// magnitude that was stored, for another mode the ranking key (ranking.cuh) of the largest value; it must be 0, or what other rows of the
// same want left, before.
template <int ROWS, class Prologue>
__device__ __forceinline__ void product(const signed char* w, const float* w_scale, const float* bias, const float* residual, float* y,
                                        int columns, int pitch, int mode, unsigned long long* largest, const char* ahead,
                                        long long ahead_bytes, unsigned long long* fault, int op, Prologue prologue) {
  constexpr int STEPS = HELD / ROWS;
  __shared__ float shared[LANES];
  __shared__ unsigned long long keys[WARPS];
  int warp = blockIdx.x * WARPS + (threadIdx.x >> 5);
  int lane = threadIdx.x & 31;
  int half = columns / 2;
  int chunks = pitch >> 4;
  const int4* weight[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    // Gates are the rows below half, their ups lie half the weight further. A row past the end reads the last one; its sum is not stored.
    int n = mode == SWIGLU ? warp * (ROWS / 2) + r % (ROWS / 2) + r / (ROWS / 2) * half : warp * ROWS + r;
    weight[r] = (const int4*)(w + (size_t)min(n, columns - 1) * pitch);
  }
  int4 held[ROWS][STEPS];
  auto fetch = [&](int first) {
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
      if (first + i * 32 < chunks) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
          held[r][i] = read_weight(weight[r] + min(first + i * 32 + lane, chunks - 1));
        }
      }
    }
  };
  fetch(0);
  for (int chunk = STEPS * 32 + lane; chunk < chunks; chunk += 32) {
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      asm volatile("prefetch.L2 [%0];" ::"l"(weight[r] + chunk));
    }
  }
  float s = prologue(shared);
  int sums[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    sums[r] = 0;
  }
  for (int first = 0; first < chunks; first += STEPS * 32) {
    if (first > 0) {
      fetch(first);
    }
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
      int chunk = first + i * 32 + lane;
      if (chunk < chunks) {
        int4 x = quantised[chunk];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
          int sum = __dp4a(held[r][i].x, x.x, sums[r]);
          sum = __dp4a(held[r][i].y, x.y, sum);
          sum = __dp4a(held[r][i].z, x.z, sum);
          sums[r] = __dp4a(held[r][i].w, x.w, sum);
        }
      }
    }
  }
  read_ahead(ahead, ahead_bytes, blockIdx.x * THREADS + threadIdx.x, gridDim.x * THREADS);
  int acc = warp_sums<ROWS>(sums);
  // The second half of the sums is those of the ups.
  int up = __shfl_xor_sync(0xffffffffu, acc, 16);
  int i = lane / (32 / ROWS);
  bool stores = lane % (32 / ROWS) == 0 && i < (mode == SWIGLU ? ROWS / 2 : ROWS);
  int n = mode == SWIGLU ? warp * (ROWS / 2) + i : warp * ROWS + i;
  unsigned long long key = 0;
  if (stores && n < (mode == SWIGLU ? half : columns)) {
    float dot = __fmul_rn((float)acc, __fmul_rn(s, w_scale[n]));
    if (mode == SWIGLU) {
      float dot_up = __fmul_rn((float)up, __fmul_rn(s, w_scale[n + half]));
      key = __float_as_uint(fabsf(store_swiglu(dot, dot_up, bias, y, half, 0, n, columns, fault, op)));
    } else {
      key = ranking_key(store_element(dot, bias, residual, y, columns, 0, n, columns, mode, fault, op), n);
    }
  }
  if (largest == nullptr) {
    return;
  }
  for (int h = 16; h > 0; h >>= 1) {
    unsigned long long other = __shfl_xor_sync(0xffffffffu, key, h);
    key = other > key ? other : key;
  }
  if (lane == 0) {
    keys[threadIdx.x >> 5] = key;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int i = 1; i < WARPS; i++) {
      key = keys[i] > key ? keys[i] : key;
    }
    atomicMax(largest, key);
  }
}

template <int ROWS>
__device__ __forceinline__ void norm_product(const float* x, const float* gain, float eps, float* normed, int cols, const signed char* w,
                                             const float* w_scale, const float* bias, float* y, int columns, int pitch, int mode,
                                             unsigned long long* largest, const char* ahead, long long ahead_bytes,
                                             unsigned long long* fault, int op) {
  product<ROWS>(w, w_scale, bias, nullptr, y, columns, pitch, mode, largest, ahead, ahead_bytes, fault, op + 2, [&](float* shared) {
    float r = inverse_root(x, cols, eps, 0, fault, op, shared);
    float amax = 0.0f;
#pragma unroll 4
    for (int c = threadIdx.x; c < cols; c += THREADS) {
      float value = __fmul_rn(__fmul_rn(x[c], r), gain[c]);
      check_finite(fault, op + 1, c, value);
      amax = fmaxf(amax, fabsf(value));
      if (normed != nullptr && blockIdx.x == 0) {
        normed[c] = value;
      }
    }
    return quantise_row(block_max(amax, shared), cols, pitch, [&](int c) { return __fmul_rn(__fmul_rn(x[c], r), gain[c]); });
  });
}

// The row is rmsNorm of x (cols) with gain (cols); normed (cols), or null, gets it. w (columns, pitch), w_scale (columns), bias (columns) or
// null, y (columns), half as many for SWIGLU, which wants an even number of columns. mode is PLAIN or SWIGLU. A fault of op names the
// sum of squares, of op + 1 an element of the norm, from op + 2 on what epilogue.cuh says. Two rows of the weight in a warp.
extern "C" __global__ void __launch_bounds__(THREADS, 2) linear_i8_row_norm_2(const float* x, const float* gain, float eps, float* normed,
                                                                              int cols, const signed char* w, const float* w_scale,
                                                                              const float* bias, float* y, int columns, int pitch, int mode,
                                                                              unsigned long long* largest, const char* ahead,
                                                                              long long ahead_bytes, unsigned long long* fault, int op) {
  norm_product<2>(x, gain, eps, normed, cols, w, w_scale, bias, y, columns, pitch, mode, largest, ahead, ahead_bytes, fault, op);
}

// As linear_i8_row_norm_2 with four rows of the weight in a warp.
extern "C" __global__ void __launch_bounds__(THREADS, 2) linear_i8_row_norm_4(const float* x, const float* gain, float eps, float* normed,
                                                                              int cols, const signed char* w, const float* w_scale,
                                                                              const float* bias, float* y, int columns, int pitch, int mode,
                                                                              unsigned long long* largest, const char* ahead,
                                                                              long long ahead_bytes, unsigned long long* fault, int op) {
  norm_product<4>(x, gain, eps, normed, cols, w, w_scale, bias, y, columns, pitch, mode, largest, ahead, ahead_bytes, fault, op);
}

template <int ROWS>
__device__ __forceinline__ void attention_product(const float* chains, const int* positions, int heads, int d, int splits, int window,
                                                  const signed char* w, const float* w_scale, const float* bias, float* y, int columns,
                                                  int pitch, unsigned long long* clear, const char* ahead, long long ahead_bytes,
                                                  unsigned long long* fault, int op) {
  if (clear != nullptr && blockIdx.x == 0 && threadIdx.x == 0) {
    *clear = 0;
  }
  product<ROWS>(w, w_scale, bias, y, y, columns, pitch, RESIDUAL, nullptr, ahead, ahead_bytes, fault, op + 1, [&](float* shared) {
    int position = positions[0];
    float* combined = (float*)((char*)quantised + pitch);
    float amax = combine_row(chains, first_visible(position, window) / SPLIT, position / SPLIT, splits, heads, d, combined, 0, fault, op);
    return quantise_row(block_max(amax, shared), heads * d, pitch, [&](int c) { return combined[c]; });
  });
}

// The row is the result of attention, of whose splits there are few: chains (heads, splits, d + 1) as attention_values leaves them at
// positions[0]. w and w_scale as in linear_i8_row_norm_2; y (columns) is what the product (+ bias) is added to and where the sum goes. *clear, if
// not null, becomes 0. 4 * heads * (d + 1) more bytes of shared memory. A fault of op names an element of attention's result.
extern "C" __global__ void __launch_bounds__(THREADS, 2) linear_i8_row_attention_2(const float* chains, const int* positions, int heads,
                                                                                   int d, int splits, int window, const signed char* w,
                                                                                   const float* w_scale, const float* bias, float* y,
                                                                                   int columns, int pitch, unsigned long long* clear,
                                                                                   const char* ahead, long long ahead_bytes,
                                                                                   unsigned long long* fault, int op) {
  attention_product<2>(chains, positions, heads, d, splits, window, w, w_scale, bias, y, columns, pitch, clear, ahead, ahead_bytes, fault, op);
}

// As linear_i8_row_attention_2 with four rows of the weight in a warp.
extern "C" __global__ void __launch_bounds__(THREADS, 2) linear_i8_row_attention_4(const float* chains, const int* positions, int heads,
                                                                                   int d, int splits, int window, const signed char* w,
                                                                                   const float* w_scale, const float* bias, float* y,
                                                                                   int columns, int pitch, unsigned long long* clear,
                                                                                   const char* ahead, long long ahead_bytes,
                                                                                   unsigned long long* fault, int op) {
  attention_product<4>(chains, positions, heads, d, splits, window, w, w_scale, bias, y, columns, pitch, clear, ahead, ahead_bytes, fault, op);
}

template <int ROWS>
__device__ __forceinline__ void plain_product(const float* x, const unsigned long long* largest, int cols, const signed char* w,
                                              const float* w_scale, const float* bias, float* y, int columns, int pitch,
                                              unsigned long long* clear, const char* ahead, long long ahead_bytes,
                                              unsigned long long* fault, int op) {
  if (clear != nullptr && blockIdx.x == 0 && threadIdx.x == 0) {
    *clear = 0;
  }
  product<ROWS>(w, w_scale, bias, y, y, columns, pitch, RESIDUAL, nullptr, ahead, ahead_bytes, fault, op, [&](float*) {
    return quantise_row(__uint_as_float((unsigned int)*largest), cols, pitch, [&](int c) { return x[c]; });
  });
}

// The row is x (cols), finite, whose largest magnitude's bits stand in *largest, as SWIGLU leaves them; otherwise as
// linear_i8_row_attention_2, with no more shared memory.
extern "C" __global__ void __launch_bounds__(THREADS, 2) linear_i8_row_plain_2(const float* x, const unsigned long long* largest, int cols,
                                                                               const signed char* w, const float* w_scale,
                                                                               const float* bias, float* y, int columns, int pitch,
                                                                               unsigned long long* clear, const char* ahead,
                                                                               long long ahead_bytes, unsigned long long* fault, int op) {
  plain_product<2>(x, largest, cols, w, w_scale, bias, y, columns, pitch, clear, ahead, ahead_bytes, fault, op);
}

// As linear_i8_row_plain_2 with four rows of the weight in a warp.
extern "C" __global__ void __launch_bounds__(THREADS, 2) linear_i8_row_plain_4(const float* x, const unsigned long long* largest, int cols,
                                                                               const signed char* w, const float* w_scale,
                                                                               const float* bias, float* y, int columns, int pitch,
                                                                               unsigned long long* clear, const char* ahead,
                                                                               long long ahead_bytes, unsigned long long* fault, int op) {
  plain_product<4>(x, largest, cols, w, w_scale, bias, y, columns, pitch, clear, ahead, ahead_bytes, fault, op);
}
