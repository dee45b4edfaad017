// attention over paged keys and values, query by query, as decoding has it; docs/numerics.md, "Attention", with a sliding window
// where `window` is not 0: the query at position i sees keys j with i - window < j <= i.
//
// CPU twin: Kernels.attention over KeyValuePages. Three launches: the scores of all visible keys, each one ascending chain over
// the components; then per split of 1024 keys, counted from position 0, the chains of p and of p * v, which are independent of the
// other splits, so that many blocks share one query; then the splits are added in ascending order. The maximum is exact in
// any order. Nothing is rescaled. Keys and values are read once for `share` query heads of their group. `list` names the rows
// that take part, *count of them; a launch covers its entries from `first` on, and scratch memory is counted from there.
#include "attention_splits.cuh"
#include "elementary.cuh"
#include "fault.cuh"
#include "lanes.cuh"
#include "pages.cuh"
#include "quantise.cuh"
#include "read_ahead.cuh"
#include "rope.cuh"

#define KEYS 128
#define SHARE_MAX 4
// How many components of a key a thread has under way.
#define LOADS 32
#define THREADS 256
#define WIDTH 32
#define TILE 128

// One thread's key against `share` query heads, whose components lie in `query` (share, d), and the largest scores of the block's keys.
// All loads of 32 components are under way at once. `fresh`, or null, is where this thread's key lies instead of in its page.
// scores and maxima are those of the first of the heads. A fault of op names `index`.
__device__ __forceinline__ void score_keys(const float* query, const float* key, const float* fresh, bool visible, int j, int piece,
                                           int pieces, float* scores, float* maxima, int context, int d, int share, float scale, int index,
                                           unsigned long long* fault, int op) {
  __shared__ float most[SHARE_MAX][KEYS / 32];
  float s[SHARE_MAX];
#pragma unroll
  for (int h = 0; h < SHARE_MAX; h++) {
    s[h] = 0.0f;
  }
  if (visible) {
    for (int first = 0; first < d; first += LOADS) {
      float k[LOADS];
#pragma unroll
      for (int i = 0; i < LOADS; i++) {
        if (first + i < d) {
          k[i] = fresh == nullptr ? __ldg(key + (first + i) * PAGE) : fresh[first + i];
        }
      }
#pragma unroll
      for (int i = 0; i < LOADS; i++) {
        if (first + i < d) {
#pragma unroll
          for (int h = 0; h < SHARE_MAX; h++) {
            if (h < share) {
              s[h] = __fmaf_rn(query[h * d + first + i], k[i], s[h]);
            }
          }
        }
      }
    }
  }
#pragma unroll
  for (int h = 0; h < SHARE_MAX; h++) {
    if (h < share) {
      float score = __fmul_rn(s[h], scale);
      if (visible) {
        check_finite(fault, op, index, score);
        scores[(size_t)h * context + j] = score;
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
    maxima[(size_t)threadIdx.x * pieces + piece] = largest;
  }
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
  const float* key = keys;
  if (visible) {
    int page = page_tables[(size_t)sequences[row] * table_pitch + j / PAGE];
    key = key_page(keys, page, head / (heads / kv_heads), kv_heads, d) + j % PAGE;
  }
  size_t line = (size_t)blockIdx.x * heads + head;
  int pieces = gridDim.z;
  score_keys(query, key, nullptr, visible, j, piece, pieces, scores + line * context, maxima + line * pieces, context, d, share, scale, row,
             fault, op);
}

// Turns `count` heads of d components, or copies them where turned is 0.
__device__ __forceinline__ void turn_heads(const float* x, int count, int d, int turned, const float* cosines, const float* sines, float* y,
                                           int index, bool reports, unsigned long long* fault, int op) {
  if (turned == 0) {
    for (int i = threadIdx.x; i < count * d; i += KEYS) {
      y[i] = x[i];
    }
    return;
  }
  int half = d / 2;
  for (int i = threadIdx.x; i < count * half; i += KEYS) {
    int at = i / half * d + i % half;
    float low, high;
    turn(x[at], x[at + half], cosines[i % half], sines[i % half], &low, &high);
    y[at] = low;
    y[at + half] = high;
    if (reports) {
      check_finite(fault, op, index + at, low);
      check_finite(fault, op, index + at + half, high);
    }
  }
}

// rope_store and attention_scores in one launch, for a step of one row: the block that has the row's own key turns it, hands it to
// its page and scores it from where it turned it; every block turns its queries for itself, so qkv stays as it is. What the page
// holds at the row's own position is not read. cos and sin (positions, d/2); page_table is the sequence's; otherwise as there, with
// 4 * (share + 1) * d bytes of shared memory with the launch. The values that the next launch reads are asked of the cache. A fault
// of op names an element of the turned queries, of op + 1 one of the turned keys, of op + 2 the row 0 of a score.
extern "C" __global__ void __launch_bounds__(KEYS) attention_scores_one(const float* qkv, const int* page_table, const int* positions,
                                                                        const float* cos, const float* sin, float* keys, float* values,
                                                                        float* scores, float* maxima, int heads, int kv_heads, int d,
                                                                        int share, int window, int context, int turned, float scale,
                                                                        unsigned long long* fault, int op) {
  extern __shared__ float query[];
  int position = positions[0];
  int from = first_visible(position, window);
  int piece = blockIdx.z;
  if (piece * KEYS > position || piece * KEYS + KEYS <= from) {
    return;
  }
  int head = blockIdx.y * share;
  int kv = head / (heads / kv_heads);
  float* fresh = query + share * d;
  const float* cosines = cos + (size_t)position * (d / 2);
  const float* sines = sin + (size_t)position * (d / 2);
  bool own = piece == position / KEYS;
  bool first_of_group = head % (heads / kv_heads) == 0;
  turn_heads(qkv + head * d, share, d, turned, cosines, sines, query, head * d, own, fault, op);
  if (own) {
    turn_heads(qkv + (heads + kv) * d, 1, d, turned, cosines, sines, fresh, kv * d, first_of_group, fault, op + 1);
  }
  __syncthreads();
  if (own && first_of_group) {
    int page = page_table[position / PAGE];
    float* key = key_page(keys, page, kv, kv_heads, d) + position % PAGE;
    float* value = value_page(values, page, kv, kv_heads, d) + position % PAGE * d;
    for (int i = threadIdx.x; i < d; i += KEYS) {
      key[i * PAGE] = fresh[i];
      value[i] = qkv[(heads + kv_heads + kv) * d + i];
    }
  }
  int j = piece * KEYS + threadIdx.x;
  bool visible = j >= from && j <= position;
  const float* key = keys;
  if (visible) {
    key = key_page(keys, page_table[j / PAGE], kv, kv_heads, d) + j % PAGE;
  }
  int pieces = gridDim.z;
  score_keys(query, key, j == position ? fresh : nullptr, visible, j, piece, pieces, scores + (size_t)head * context,
             maxima + (size_t)head * pieces, context, d, share, scale, 0, fault, op + 2);
  if (first_of_group) {
    int last = min(position, piece * KEYS + KEYS - 1);
    for (int page = max(from, piece * KEYS) / PAGE; page <= last / PAGE; page++) {
      read_ahead((const char*)value_page((const float*)values, page_table[page], kv, kv_heads, d), (long long)d * PAGE * sizeof(float),
                 threadIdx.x, KEYS);
    }
  }
}

// chains (rows, heads, splits, d + 1): per split and component the chain of fma(p, v) over its visible keys, and behind them the
// chain of p. Grid (rows, heads / share * ceil(d / 32) and more, splits), block 256: 32 components of `share` heads, a warp a head;
// 4096 * share bytes of shared memory with the launch. A chain of 1024 keys takes its time, four cycles a key: so the values come
// through shared memory, 128 keys at a time, the next ones under way while these are used. Blocks of y behind the work, in the first
// row and split, ask the cache for the `ahead_bytes` at `ahead`.
extern "C" __global__ void __launch_bounds__(THREADS) attention_values(const float* scores, const float* maxima, const float* values,
                                                                       const int* page_tables, int table_pitch, const int* positions,
                                                                       const int* sequences, float* chains, const int* list, const int* count,
                                                                       int first, int heads, int kv_heads, int d, int share, int window,
                                                                       int context, const char* ahead, long long ahead_bytes) {
  extern __shared__ float p[];
  __shared__ float largest[SHARE_MAX];
  __shared__ float tile[TILE * WIDTH];
  int parts = (d + WIDTH - 1) / WIDTH;
  int work = heads / share * parts;
  if ((int)blockIdx.y >= work) {
    if (blockIdx.x == 0 && blockIdx.z == 0) {
      read_ahead(ahead, ahead_bytes, ((int)blockIdx.y - work) * THREADS + threadIdx.x, ((int)gridDim.y - work) * THREADS);
    }
    return;
  }
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
  int head = (blockIdx.y / parts) * share;
  int kv = head / (heads / kv_heads);
  int warp = threadIdx.x / WIDTH;
  int lane = threadIdx.x % WIDTH;
  int c = (blockIdx.y % parts) * WIDTH + lane;
  const int* table = page_tables + (size_t)sequences[row] * table_pitch;
  size_t line = (size_t)blockIdx.x * heads + head;
  float held[TILE * WIDTH / THREADS];
  // A warp reads a key's 32 components.
  auto fetch = [&](int key) {
#pragma unroll
    for (int i = 0; i < TILE * WIDTH / THREADS; i++) {
      int j = key + i * (THREADS / WIDTH) + warp;
      held[i] = j < end && c < d ? __ldg(value_page(values, table[j / PAGE], kv, kv_heads, d) + (j % PAGE) * d + c) : 0.0f;
    }
  };
  fetch(start);
  float s[SPLIT / THREADS][SHARE_MAX];
#pragma unroll
  for (int i = 0; i < SPLIT / THREADS; i++) {
    int j = start + i * THREADS + threadIdx.x;
#pragma unroll
    for (int h = 0; h < SHARE_MAX; h++) {
      s[i][h] = h < share && j < end ? scores[(line + h) * context + j] : 0.0f;
    }
  }
  if (warp < share) {
    int pieces = (context + KEYS - 1) / KEYS;
    float most = __int_as_float(0xff800000);
    for (int piece = from / KEYS + lane; piece <= position / KEYS; piece += WIDTH) {
      most = fmaxf(most, maxima[(line + warp) * pieces + piece]);
    }
    for (int step = 16; step > 0; step >>= 1) {
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, step));
    }
    if (lane == 0) {
      largest[warp] = most;
    }
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < SPLIT / THREADS; i++) {
    int key = i * THREADS + threadIdx.x;
#pragma unroll
    for (int h = 0; h < SHARE_MAX; h++) {
      if (h < share && start + key < end) {
        p[key * share + h] = exp_exact(__fsub_rn(s[i][h], largest[h]));
      }
    }
  }
  float chain = 0.0f;
  for (int key = start; key < end; key += TILE) {
    // The tile before was used, and the weights are there.
    __syncthreads();
#pragma unroll
    for (int i = 0; i < TILE * WIDTH / THREADS; i++) {
      tile[i * THREADS + threadIdx.x] = held[i];
    }
    __syncthreads();
    if (key + TILE < end) {
      fetch(key + TILE);
    }
    int keys = min(TILE, end - key);
    const float* weight = p + (key - start) * share;
    if (warp < share) {
#pragma unroll 16
      for (int k = 0; k < keys; k++) {
        chain = __fmaf_rn(weight[k * share + warp], tile[k * WIDTH + lane], chain);
      }
    } else if (warp == share && lane < share) {
#pragma unroll 16
      for (int k = 0; k < keys; k++) {
        chain = __fadd_rn(chain, weight[k * share + lane]);
      }
    }
  }
  if (warp < share && c < d) {
    chains[((line + warp) * gridDim.z + split) * (d + 1) + c] = chain;
  } else if (warp == share && lane < share && blockIdx.y % parts == 0) {
    chains[((line + lane) * gridDim.z + split) * (d + 1) + d] = chain;
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
  const float* chain = chains + (size_t)blockIdx.x * heads * splits * (d + 1);
  float amax = combine_row(chain, start, last, splits, heads, d, combined, row * cols, fault, op);
  quantise_own(combined, amax, q, row_scale, pitch, row, cols, shared);
}
