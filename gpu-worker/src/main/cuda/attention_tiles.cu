// attention over paged keys and values for many queries of a sequence, as prefill has it; docs/numerics.md, "Attention", with a
// sliding window where `window` is not 0: the query at position i sees keys j with i - window < j <= i.
//
// CPU twin: Kernels.attention over KeyValuePages. One launch; attention_tile.cuh says how. Grid (tiles, heads / share), block 128;
// `share` (1, 2 or 4) heads of one group read keys together. tiles (*count_of_tiles, 2): first row and number of rows, all of one
// sequence and of ascending position.
#include "attention_tile.cuh"

// A sequence in pages, as the queries of one tile see it.
struct PagedSequence {
  const float* keys;
  const float* values;
  const int* table;
  int kv;
  int kv_heads;
  int d;
  int first_position;
  int last_position;
  int window;

  __device__ __forceinline__ int first_key() const { return window > 0 && first_position + 1 > window ? first_position + 1 - window : 0; }

  __device__ __forceinline__ int last_key() const { return last_position; }

  __device__ __forceinline__ bool visible(int query, int j) const {
    int position = first_position + query;
    return j <= position && (window == 0 || j > position - window);
  }

  // Where the keys from `key` on, a multiple of four, of component c lie in shared memory.
  static __device__ __forceinline__ int place(int, int key) { return key; }

  __device__ __forceinline__ void read_keys(int page, float* shared) const {
    const float* source = key_page(keys, table[page], kv, kv_heads, d);
    for (int i = threadIdx.x; i < d * PAGE; i += THREADS) {
      shared[i] = source[i];
    }
  }

  __device__ __forceinline__ float value(int page, int j, int c) const {
    return value_page(values, table[page], kv, kv_heads, d)[j * d + c];
  }
};

template <int D>
__device__ __forceinline__ void attention(const float* q, int q_stride, const float* keys, const float* values, const int* page_tables,
                                          int table_pitch, const int* positions, const int* sequences, const int* tiles,
                                          const int* count_of_tiles, float* out, int heads, int kv_heads, int d, int share, int window,
                                          float scale, unsigned long long* fault, int op) {
  if ((int)blockIdx.x >= *count_of_tiles) {
    return;
  }
  int first_row = tiles[blockIdx.x * 2];
  int rows = tiles[blockIdx.x * 2 + 1];
  int head = blockIdx.y * share;
  int position = positions[first_row];
  PagedSequence sequence = {keys,
                            values,
                            page_tables + (size_t)sequences[first_row] * table_pitch,
                            head / (heads / kv_heads),
                            kv_heads,
                            d,
                            position,
                            position + rows - 1,
                            window};
  attend<D>(q, q_stride, first_row, rows, head, share, sequence, out, heads, d, scale, fault, op);
}

// Heads of up to 64 components; 33024 bytes of shared memory with the launch. q with rows q_stride floats apart, out (rows, heads * d).
// A fault of op names the row of a score, of op + 1 an element of the result.
extern "C" __global__ void __launch_bounds__(THREADS) attention_tiles_64(const float* q, int q_stride, const float* keys,
                                                                         const float* values, const int* page_tables, int table_pitch,
                                                                         const int* positions, const int* sequences, const int* tiles,
                                                                         const int* count_of_tiles, float* out, int heads, int kv_heads, int d,
                                                                         int share, int window, float scale, unsigned long long* fault, int op) {
  attention<64>(q, q_stride, keys, values, page_tables, table_pitch, positions, sequences, tiles, count_of_tiles, out, heads, kv_heads, d,
                share, window, scale, fault, op);
}

// As attention_tiles_64 for heads of up to 128 components; 57600 bytes of shared memory with the launch.
extern "C" __global__ void __launch_bounds__(THREADS) attention_tiles_128(const float* q, int q_stride, const float* keys,
                                                                          const float* values, const int* page_tables, int table_pitch,
                                                                          const int* positions, const int* sequences, const int* tiles,
                                                                          const int* count_of_tiles, float* out, int heads, int kv_heads, int d,
                                                                          int share, int window, float scale, unsigned long long* fault, int op) {
  attention<128>(q, q_stride, keys, values, page_tables, table_pitch, positions, sequences, tiles, count_of_tiles, out, heads, kv_heads,
                 d, share, window, scale, fault, op);
}
