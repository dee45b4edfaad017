// attention of a tile of queries (docs/numerics.md, "Attention"), wherever its keys and values lie: attention_tiles.cu has them in
// pages, attention_spans.cu beside the queries.
//
// Two passes over the keys, a page of 32 at a time: the first finds the maximum of each query's scores, the second computes the scores
// again (the same chains give the same bits), p = exp(s - m), and carries the chains of p and of p * v of the split of 1024 keys in
// hand in registers; at a split's end they are added to the totals. Nothing is rescaled and no score is stored in device memory.
// A key that a query does not see has p = +0, which changes no bit (docs/numerics.md). A block of 128 threads holds 64 lines, a line
// being one query of one head; `share` heads take turns so that they read a key once, so a tile is 64 / share queries. d is at
// most D. Shared memory: 4 * (64 * D + 32 * D + 32 * 64 + 64) bytes with the launch.
#pragma once

#include "elementary.cuh"
#include "fault.cuh"
#include "pages.cuh"

#define SPLIT 1024
#define LINES 64
#define THREADS 128

// q: rows q_stride floats apart. first_row and rows: the tile. share: how many heads from `head` on are its lines. sequence: the keys
// and values of the tile's sequence in pages of 32, page 0 beginning with its first key. out (rows, heads * d). A fault of op names
// the row of a score, of op + 1 an element of the result.
template <int D, typename Sequence>
__device__ __forceinline__ void attend(const float* q, int q_stride, int first_row, int rows, int head, int share, const Sequence& sequence,
                                       float* out, int heads, int d, float scale, unsigned long long* fault, int op) {
  constexpr int COMPONENTS = D / 16;
  // (D, LINES) queries, at the end (LINES, D) results; (D, PAGE) keys or (PAGE, D) values; (PAGE, LINES) weights; (LINES) z.
  extern __shared__ __align__(16) float shared[];
  float* queries = shared;
  float* page_data = queries + D * LINES;
  float* weights = page_data + D * PAGE;
  float* z = weights + PAGE * LINES;
  int count = rows * share;
  int first_page = sequence.first_key() / PAGE;
  int last_page = sequence.last_key() / PAGE;

  // Line l is query l / share of head l mod share.
  for (int i = threadIdx.x; i < LINES * d; i += THREADS) {
    int line = i / d;
    int c = i % d;
    float value = 0.0f;
    if (line < count) {
      value = q[(size_t)(first_row + line / share) * q_stride + (head + line % share) * d + c];
    }
    queries[c * LINES + line] = value;
  }

  // In the scores a thread owns four lines and four keys.
  int score_line = (threadIdx.x >> 3) * 4;
  int score_key = (threadIdx.x & 7) * 4;
  auto scores = [&](int page, float (&s)[4][4]) {
    __syncthreads();
    sequence.read_keys(page, page_data);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        s[i][j] = 0.0f;
      }
    }
#pragma unroll 2
    for (int c = 0; c < d; c++) {
      float4 a = *(const float4*)(queries + c * LINES + score_line);
      float4 b = *(const float4*)(page_data + c * PAGE + Sequence::place(c, score_key));
      float as[4] = {a.x, a.y, a.z, a.w};
      float bs[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          s[i][j] = __fmaf_rn(as[i], bs[j], s[i][j]);
        }
      }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        s[i][j] = __fmul_rn(s[i][j], scale);
      }
    }
  };
  auto visible = [&](int line, int j) {
    return line < count && sequence.visible(line / share, j);
  };

  float s[4][4];
  float most[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    most[i] = __int_as_float(0xff800000);
  }
  for (int page = first_page; page <= last_page; page++) {
    scores(page, s);
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        if (visible(score_line + i, page * PAGE + score_key + j)) {
          check_finite(fault, op, first_row + (score_line + i) / share, s[i][j]);
          most[i] = fmaxf(most[i], s[i][j]);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    // The eight threads of a line are neighbours in a warp.
    for (int step = 4; step > 0; step >>= 1) {
      most[i] = fmaxf(most[i], __shfl_xor_sync(0xffffffffu, most[i], step));
    }
  }

  // In the products a thread owns eight lines, four and the four 32 further, and D / 16 components, four in each 64.
  int value_line = (threadIdx.x >> 4) * 4;
  int value_component = (threadIdx.x & 15) * 4;
  float total[8][COMPONENTS];
  float chain[8][COMPONENTS];
  float z_total[8];
  float z_chain[8];
#pragma unroll
  for (int i = 0; i < 8; i++) {
    // -0 plus the first split's chain is that chain, whatever its sign.
    z_total[i] = -0.0f;
    z_chain[i] = 0.0f;
#pragma unroll
    for (int c = 0; c < COMPONENTS; c++) {
      total[i][c] = -0.0f;
      chain[i][c] = 0.0f;
    }
  }
  for (int page = first_page; page <= last_page; page++) {
    scores(page, s);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      float p[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool seen = visible(score_line + i, page * PAGE + score_key + j);
        p[i] = seen ? exp_exact(__fsub_rn(s[i][j], most[i])) : 0.0f;
      }
      *(float4*)(weights + (score_key + j) * LINES + score_line) = make_float4(p[0], p[1], p[2], p[3]);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < PAGE * D; i += THREADS) {
      int j = i / D;
      int c = i % D;
      // What lies behind the last key of a page was never written.
      page_data[i] = c < d && page * PAGE + j <= sequence.last_key() ? sequence.value(page, j, c) : 0.0f;
    }
    __syncthreads();
#pragma unroll 2
    for (int j = 0; j < PAGE; j++) {
      float a[8];
      float b[COMPONENTS];
      *(float4*)&a[0] = *(const float4*)(weights + j * LINES + value_line);
      *(float4*)&a[4] = *(const float4*)(weights + j * LINES + value_line + 32);
#pragma unroll
      for (int c = 0; c < COMPONENTS; c += 4) {
        *(float4*)&b[c] = *(const float4*)(page_data + j * D + value_component + c * 16);
      }
#pragma unroll
      for (int i = 0; i < 8; i++) {
        z_chain[i] = __fadd_rn(z_chain[i], a[i]);
#pragma unroll
        for (int c = 0; c < COMPONENTS; c++) {
          chain[i][c] = __fmaf_rn(a[i], b[c], chain[i][c]);
        }
      }
    }
    if ((page + 1) % (SPLIT / PAGE) == 0 || page == last_page) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        z_total[i] = __fadd_rn(z_total[i], z_chain[i]);
        z_chain[i] = 0.0f;
#pragma unroll
        for (int c = 0; c < COMPONENTS; c++) {
          total[i][c] = __fadd_rn(total[i][c], chain[i][c]);
          chain[i][c] = 0.0f;
        }
      }
    }
  }
  // Through shared memory, so that results are stored side by side and no registers go to their addresses.
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 8; i++) {
    int line = value_line + (i & 3) + (i >> 2) * 32;
    if ((threadIdx.x & 15) == 0) {
      z[line] = z_total[i];
    }
#pragma unroll
    for (int c = 0; c < COMPONENTS; c += 4) {
      *(float4*)(queries + line * D + value_component + c * 16) = *(const float4*)&total[i][c];
    }
  }
  __syncthreads();
#pragma unroll 1
  for (int i = threadIdx.x; i < count * d; i += THREADS) {
    int line = i / d;
    int c = i % d;
    float value = __fdiv_rn(__fadd_rn(queries[line * D + c], 0.0f), z[line]);
    int index = ((first_row + line / share) * heads + head + line % share) * d + c;
    out[index] = value;
    check_finite(fault, op + 1, index, value);
  }
}
