// attention over paged keys and values, query by query, as decoding has it; docs/numerics.md, "Attention", with a sliding window
// where `window` is not 0: the query at position i sees keys j with i - window < j <= i.
//
// CPU twin: Kernels.attention over KeyValuePages. Three launches: the scores of all visible keys, each one ascending chain over
// the components; then per split of 1024 keys, counted from position 0, the chains of p and of p * v, which are independent of the
// other splits, so that many blocks share one query; then the splits are added in ascending order. The maximum is exact in
// any order. Nothing is rescaled. Keys and values are read once for `share` query heads of their group. `list` names the rows
// that take part, *count of them; a launch covers its entries from `first` on, and scratch memory is counted from there.
#include "elementary.cuh"
#include "fault.cuh"
#include "lanes.cuh"
#include "pages.cuh"
#include "quantise.cuh"

#define SPLIT 1024
#define KEYS 128
#define SHARE_MAX 4

__device__ __forceinline__ int first_visible(int position, int window) {
  return window > 0 && position + 1 > window ? position + 1 - window : 0;
}

// scores (rows, heads, context): s(i, j) = chain * scale; maxima (rows, heads, pieces): the largest of each 128 keys. One thread is
// one key for `share` (1, 2 or 4, a divisor of heads / kv_heads) query heads. Grid (rows, heads / share, ceil(context / 128)), block
// 128, 16 * d bytes of shared memory with the launch. q with rows q_stride floats apart; pieces = ceil(context / 128). A fault of op
// names a row.
extern "C" __global__ void __launch_bounds__(KEYS) attention_scores(const float* q, int q_stride, const float* keys, const int* page_tables,
                                                                    int table_pitch, const int* positions, const int* sequences,
                                                                    float* scores, float* maxima, const int* list, const int* count, int first,
                                                                    int heads, int kv_heads, int d, int share, int window, int context,
                                                                    float scale, unsigned long long* fault, int op) {
  extern __shared__ float query[];
  __shared__ float most[SHARE_MAX][KEYS / 32];
  if (first + (int)blockIdx.x >= *count) {
    return;
  }
  int row = list[first + blockIdx.x];
  int position = positions[row];
  int from = first_visible(position, window);
  int piece = blockIdx.z;
  if (piece * KEYS > position || piece * KEYS + KEYS <= from) {
    return;
  }
  int head = blockIdx.y * share;
  for (int i = threadIdx.x; i < share * d; i += KEYS) {
    query[i] = q[(size_t)row * q_stride + head * d + i];
  }
  __syncthreads();
  int j = piece * KEYS + threadIdx.x;
  bool visible = j >= from && j <= position;
  int pages = gridDim.z;
  float s[SHARE_MAX];
#pragma unroll
  for (int h = 0; h < SHARE_MAX; h++) {
    s[h] = 0.0f;
  }
  if (visible) {
    int page = page_tables[(size_t)sequences[row] * table_pitch + j / PAGE];
    const float* key = key_page(keys, page, head / (heads / kv_heads), kv_heads, d) + j % PAGE;
#pragma unroll 8
    for (int c = 0; c < d; c++) {
      float k = __ldg(key + c * PAGE);
#pragma unroll
      for (int h = 0; h < SHARE_MAX; h++) {
        if (h < share) {
          s[h] = __fmaf_rn(query[h * d + c], k, s[h]);
        }
      }
    }
  }
#pragma unroll
  for (int h = 0; h < SHARE_MAX; h++) {
    if (h < share) {
      float score = __fmul_rn(s[h], scale);
      size_t line = (size_t)blockIdx.x * heads + head + h;
      if (visible) {
        check_finite(fault, op, row, score);
        scores[line * context + j] = score;
      }
      float largest = visible ? score : __int_as_float(0xff800000);
      for (int step = 16; step > 0; step >>= 1) {
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
      }
      if ((threadIdx.x & 31) == 0) {
        most[h][threadIdx.x >> 5] = largest;
      }
    }
  }
  __syncthreads();
  if (threadIdx.x < share) {
    float largest = most[threadIdx.x][0];
    for (int w = 1; w < KEYS / 32; w++) {
      largest = fmaxf(largest, most[threadIdx.x][w]);
    }
    maxima[((size_t)blockIdx.x * heads + head + threadIdx.x) * pages + piece] = largest;
  }
}

// chains (rows, heads, splits, d + 1): per split and component the chain of fma(p, v) over its visible keys, and behind them the
// chain of p. Grid (rows, heads / share * ceil(d / (128 / share)), splits), block 128: 128 / share components of `share` heads; 4096 *
// share bytes of shared memory with the launch.
extern "C" __global__ void __launch_bounds__(KEYS) attention_values(const float* scores, const float* maxima, const float* values,
                                                                    const int* page_tables, int table_pitch, const int* positions,
                                                                    const int* sequences, float* chains, const int* list, const int* count, int first,
                                                                    int heads, int kv_heads, int d, int share, int window, int context) {
  extern __shared__ float p[];
  __shared__ float shared[32];
  if (first + (int)blockIdx.x >= *count) {
    return;
  }
  int row = list[first + blockIdx.x];
  int position = positions[row];
  int from = first_visible(position, window);
  int split = blockIdx.z;
  int start = max(from, split * SPLIT);
  int end = min(position + 1, split * SPLIT + SPLIT);
  if (start >= end) {
    return;
  }
  int width = KEYS / share;
  int parts = (d + width - 1) / width;
  int head = (blockIdx.y / parts) * share;
  int first_piece = from / KEYS;
  int pieces = (context + KEYS - 1) / KEYS;
  for (int h = 0; h < share; h++) {
    size_t line = (size_t)blockIdx.x * heads + head + h;
    float most = __int_as_float(0xff800000);
    for (int piece = first_piece + threadIdx.x; piece <= position / KEYS; piece += KEYS) {
      most = fmaxf(most, maxima[line * pieces + piece]);
    }
    most = block_max(most, shared);
    for (int j = start + threadIdx.x; j < end; j += KEYS) {
      p[h * SPLIT + j - start] = exp_exact(__fsub_rn(scores[line * context + j], most));
    }
  }
  __syncthreads();
  int h = threadIdx.x / width;
  int c = (blockIdx.y % parts) * width + threadIdx.x % width;
  if (c >= d) {
    return;
  }
  const int* table = page_tables + (size_t)sequences[row] * table_pitch;
  int kv = head / (heads / kv_heads);
  const float* mine = p + h * SPLIT - start;
  float chain = 0.0f;
  float sum = 0.0f;
  for (int j = start; j < end;) {
    const float* value = value_page(values, table[j / PAGE], kv, kv_heads, d) + c;
    int stop = min(end, (j / PAGE + 1) * PAGE);
#pragma unroll 8
    for (; j < stop; j++) {
      chain = __fmaf_rn(mine[j], __ldg(value + (j % PAGE) * d), chain);
      sum = __fadd_rn(sum, mine[j]);
    }
  }
  float* line = chains + (((size_t)blockIdx.x * heads + head + h) * gridDim.z + split) * (d + 1);
  line[c] = chain;
  if (c == 0) {
    line[d] = sum;
  }
}

// out(i, c) = ((the splits' chains added in ascending order) + 0) / z. Splits without a visible key are left out. Grid (rows,
// heads), block of at least 32. out (rows, heads * d).
extern "C" __global__ void attention_combine(const float* chains, const int* positions, float* out, const int* list, const int* count, int first,
                                             int heads, int d, int splits, int window, unsigned long long* fault, int op) {
  if (first + (int)blockIdx.x >= *count) {
    return;
  }
  int row = list[first + blockIdx.x];
  int position = positions[row];
  int start = first_visible(position, window) / SPLIT;
  int last = position / SPLIT;
  int head = blockIdx.y;
  const float* lines = chains + ((size_t)blockIdx.x * heads + head) * splits * (d + 1);
  float z = lines[(size_t)start * (d + 1) + d];
  for (int s = start + 1; s <= last; s++) {
    z = __fadd_rn(z, lines[(size_t)s * (d + 1) + d]);
  }
  for (int c = threadIdx.x; c < d; c += blockDim.x) {
    float total = lines[(size_t)start * (d + 1) + c];
    for (int s = start + 1; s <= last; s++) {
      total = __fadd_rn(total, lines[(size_t)s * (d + 1) + c]);
    }
    float value = __fdiv_rn(__fadd_rn(total, 0.0f), z);
    int index = (row * heads + head) * d + c;
    out[index] = value;
    check_finite(fault, op, index, value);
  }
}

// As attention_combine, for profile i8-v1: a block has a whole row, which it quantises as quantise_rows.cu does instead of storing
// it. q (rows, pitch) with 0 behind the columns, row_scale (rows). For sequences of few splits: one multiprocessor reads all chains
// of a row. Grid (rows), block 128 to 1024, a multiple of 32; 4 * heads * (d + 1) bytes of shared memory with the launch.
extern "C" __global__ void attention_combine_i8(const float* chains, const int* positions, signed char* q, float* row_scale, int pitch,
                                                const int* list, const int* count, int first, int heads, int d, int splits, int window,
                                                unsigned long long* fault, int op) {
  extern __shared__ float combined[];
  __shared__ float shared[32];
  if (first + (int)blockIdx.x >= *count) {
    return;
  }
  int row = list[first + blockIdx.x];
  int position = positions[row];
  int start = first_visible(position, window) / SPLIT;
  int last = position / SPLIT;
  int cols = heads * d;
  float* z = combined + cols;
  const float* chain = chains + (size_t)blockIdx.x * heads * splits * (d + 1);
  for (int head = threadIdx.x; head < heads; head += blockDim.x) {
    const float* lines = chain + (size_t)head * splits * (d + 1);
    float sum = lines[(size_t)start * (d + 1) + d];
    for (int s = start + 1; s <= last; s++) {
      sum = __fadd_rn(sum, lines[(size_t)s * (d + 1) + d]);
    }
    z[head] = sum;
  }
  __syncthreads();
  float amax = 0.0f;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) {
    int head = i / d;
    int c = i % d;
    const float* lines = chain + (size_t)head * splits * (d + 1);
    float total = lines[(size_t)start * (d + 1) + c];
    for (int s = start + 1; s <= last; s++) {
      total = __fadd_rn(total, lines[(size_t)s * (d + 1) + c]);
    }
    float value = __fdiv_rn(__fadd_rn(total, 0.0f), z[head]);
    combined[i] = value;
    check_finite(fault, op, row * cols + i, value);
    amax = fmaxf(amax, fabsf(value));
  }
  quantise_own(combined, amax, q, row_scale, pitch, row, cols, shared);
}
