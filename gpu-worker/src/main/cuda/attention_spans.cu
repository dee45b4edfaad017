// attention of encoders: every query of a sequence sees all of its keys, which lie beside it; docs/numerics.md, "Attention".
//
// CPU twin: Kernels.attention over spans, bidirectional. One launch; attention_tile.cuh says how. Rows of several sequences lie one
// after another, none of them padding; qkv (rows, 3 * heads * d) holds a row's queries, keys and values. Grid (tiles, heads), block
// 128. tiles (*count_of_tiles, 4): first row and number of rows of the tile, first row and number of rows of its sequence.
#include "attention_tile.cuh"

// A sequence whose keys and values lie in its rows of qkv.
struct RowSequence {
  // Of the sequence's first row.
  const float* keys;
  const float* values;
  int stride;
  int d;
  int length;

  __device__ __forceinline__ int first_key() const { return 0; }

  __device__ __forceinline__ int last_key() const { return length - 1; }

  __device__ __forceinline__ bool visible(int, int j) const { return j < length; }

  // Where the keys from `key` on, a multiple of four, of component c lie in shared memory: fours of keys are permuted by the
  // component, since neighbouring threads write neighbouring components.
  static __device__ __forceinline__ int place(int c, int key) { return ((key >> 2) ^ (c & 7)) << 2; }

  __device__ __forceinline__ void read_keys(int page, float* shared) const {
    for (int i = threadIdx.x; i < d * PAGE; i += THREADS) {
      int key = i / d;
      int c = i % d;
      int j = page * PAGE + key;
      shared[c * PAGE + place(c, key) + (key & 3)] = j < length ? keys[(size_t)j * stride + c] : 0.0f;
    }
  }

  __device__ __forceinline__ float value(int page, int j, int c) const { return values[(size_t)(page * PAGE + j) * stride + c]; }
};

template <int D>
__device__ __forceinline__ void attention(const float* qkv, int stride, const int* tiles, const int* count_of_tiles, float* out, int heads,
                                          int d, float scale, unsigned long long* fault, int op) {
  if ((int)blockIdx.x >= *count_of_tiles) {
    return;
  }
  const int* tile = tiles + blockIdx.x * 4;
  int head = blockIdx.y;
  const float* first = qkv + (size_t)tile[2] * stride + head * d;
  RowSequence sequence = {first + heads * d, first + 2 * heads * d, stride, d, tile[3]};
  attend<D>(qkv, stride, tile[0], tile[1], head, 1, sequence, out, heads, d, scale, fault, op);
}

// Heads of up to 64 components; 33024 bytes of shared memory with the launch. qkv with rows `stride` floats apart, out (rows, heads * d).
// A fault of op names the row of a score, of op + 1 an element of the result.
extern "C" __global__ void __launch_bounds__(THREADS) attention_spans_64(const float* qkv, int stride, const int* tiles,
                                                                         const int* count_of_tiles, float* out, int heads, int d, float scale,
                                                                         unsigned long long* fault, int op) {
  attention<64>(qkv, stride, tiles, count_of_tiles, out, heads, d, scale, fault, op);
}

// As attention_spans_64 for heads of up to 128 components; 57600 bytes of shared memory with the launch.
extern "C" __global__ void __launch_bounds__(THREADS) attention_spans_128(const float* qkv, int stride, const int* tiles,
                                                                          const int* count_of_tiles, float* out, int heads, int d, float scale,
                                                                          unsigned long long* fault, int op) {
  attention<128>(qkv, stride, tiles, count_of_tiles, out, heads, d, scale, fault, op);
}
