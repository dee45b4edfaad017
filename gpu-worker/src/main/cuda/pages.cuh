// How keys and values lie in their pages (CPU twin: KeyValuePages): a page covers 32 positions of one sequence; for every
// key-value head it holds the keys as (d, 32), so that threads of a warp, one per position, read them side by side, and the
// values as (32, d). One layer's pool is (pages, kv_heads, d * 32).
#pragma once

#define PAGE 32

__device__ __forceinline__ float* key_page(float* keys, int page, int kv_head, int kv_heads, int d) {
  return keys + ((size_t)page * kv_heads + kv_head) * d * PAGE;
}

__device__ __forceinline__ float* value_page(float* values, int page, int kv_head, int kv_heads, int d) {
  return values + ((size_t)page * kv_heads + kv_head) * d * PAGE;
}

__device__ __forceinline__ const float* key_page(const float* keys, int page, int kv_head, int kv_heads, int d) {
  return keys + ((size_t)page * kv_heads + kv_head) * d * PAGE;
}

__device__ __forceinline__ const float* value_page(const float* values, int page, int kv_head, int kv_heads, int d) {
  return values + ((size_t)page * kv_heads + kv_head) * d * PAGE;
}
