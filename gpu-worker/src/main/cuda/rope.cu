// rope: the pair (a, b) = (x(i), x(i + d/2)) of every head becomes (fma(-b, sin, a * cos), fma(a, sin, b * cos)).
//
// CPU twins: Kernels.rope; rope_store then also Kernels.storeKeys and storeValues. There is no sum. The table of cos and sin is
// made on the host (RopeTable), one row of d/2 per position. Rows at or past *rows are left alone.
#include "fault.cuh"
#include "pages.cuh"
#include "rope.cuh"

// x and y (rows, heads * d); positions (rows); cos and sin (positions, d/2). y may be x. Grid (rows, heads), block of at
// least 32. Memory: x read once and y written once.
extern "C" __global__ void rope(const float* x, const int* positions, const float* cos, const float* sin, float* y, const int* rows,
                                int heads, int d, unsigned long long* fault, int op) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  int half = d / 2;
  int base = (row * heads + blockIdx.y) * d;
  const float* cosines = cos + (size_t)positions[row] * half;
  const float* sines = sin + (size_t)positions[row] * half;
  for (int i = threadIdx.x; i < half; i += blockDim.x) {
    float low, high;
    turn(x[base + i], x[base + i + half], cosines[i], sines[i], &low, &high);
    y[base + i] = low;
    y[base + i + half] = high;
    check_finite(fault, op, base + i, low);
    check_finite(fault, op, base + i + half, high);
  }
}

// The step between the projections and attention, in one launch: turns the queries of qkv (rows, (heads + 2 * kv_heads) * d) in
// place, turns its keys into their pages and copies its values into theirs. Grid (rows, heads + 2 * kv_heads), block of at least
// 32. positions and sequences (rows); page_tables (sequences, table_pitch); keys and values are one layer's pools of pages. Where
// turned is 0, as in the layers of some models, queries and keys keep their place. A fault of op names an element of the queries
// (rows, heads * d), of op + 1 one of the keys (rows, kv_heads * d).
extern "C" __global__ void rope_store(float* qkv, const int* positions, const int* sequences, const int* page_tables, int table_pitch,
                                      const float* cos, const float* sin, float* keys, float* values, const int* rows, int heads,
                                      int kv_heads, int d, int turned, unsigned long long* fault, int op) {
  int row = blockIdx.x;
  if (row >= *rows) {
    return;
  }
  int head = blockIdx.y;
  int half = d / 2;
  int position = positions[row];
  float* x = qkv + ((size_t)row * (heads + 2 * kv_heads) + head) * d;
  const float* cosines = cos + (size_t)position * half;
  const float* sines = sin + (size_t)position * half;
  if (head < heads) {
    if (turned == 0) {
      return;
    }
    for (int i = threadIdx.x; i < half; i += blockDim.x) {
      float low, high;
      turn(x[i], x[i + half], cosines[i], sines[i], &low, &high);
      x[i] = low;
      x[i + half] = high;
      check_finite(fault, op, (row * heads + head) * d + i, low);
      check_finite(fault, op, (row * heads + head) * d + i + half, high);
    }
    return;
  }
  int page = page_tables[(size_t)sequences[row] * table_pitch + position / PAGE];
  int slot = position % PAGE;
  if (head < heads + kv_heads) {
    int kv = head - heads;
    float* target = key_page(keys, page, kv, kv_heads, d) + slot;
    if (turned == 0) {
      for (int i = threadIdx.x; i < d; i += blockDim.x) {
        target[i * PAGE] = x[i];
      }
      return;
    }
    for (int i = threadIdx.x; i < half; i += blockDim.x) {
      float low, high;
      turn(x[i], x[i + half], cosines[i], sines[i], &low, &high);
      target[i * PAGE] = low;
      target[(i + half) * PAGE] = high;
      check_finite(fault, op + 1, (row * kv_heads + kv) * d + i, low);
      check_finite(fault, op + 1, (row * kv_heads + kv) * d + i + half, high);
    }
    return;
  }
  float* target = value_page(values, page, head - heads - kv_heads, kv_heads, d) + slot * d;
  for (int i = threadIdx.x; i < d; i += blockDim.x) {
    target[i] = x[i];
  }
}
