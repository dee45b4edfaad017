// linear in profile f32-v1: y(t, n) = block dot over k of x(t, k), w(n, k) (+ bias): in every block of 512 k one ascending chain of
// fma from +0, the blocks added in ascending order to the first.
//
// CPU twin: Kernels.linear on a weight packed in profile f32-v1. The chains of a tile's outputs are independent of each other and
// live in registers, so their order costs nothing. The weight lies transposed, (K, pitch), pitch a multiple of 4 (transpose.cu).
#include "epilogue.cuh"

#define BLOCK 512
#define TILE 128
#define STEP 8

// For many rows. A block of 256 threads makes a tile of 128 x 128 outputs, a thread 8 x 8 of them in four 4 x 4 pieces 64 apart,
// so that the reads of shared memory are 16 bytes wide and meet no bank twice. Eight k of x and w are read ahead into registers
// while the eight before are used from one of two buffers. Memory: x is read once per column of tiles, w once per row of
// tiles. Grid (ceil(N / 128), ceil(T / 128)). x (T, x_stride), w (K, pitch), bias (columns) or null, residual and y with rows
// y_stride floats apart; mode is PLAIN or RESIDUAL.
extern "C" __global__ void __launch_bounds__(256, 1) linear_f32(const float* x, int x_stride, const float* w, int pitch, const float* bias,
                                                                const float* residual, float* y, int y_stride, const int* rows, int columns,
                                                                int depth, int mode, unsigned long long* fault, int op) {
  __shared__ __align__(16) float xs[2][STEP][TILE];
  __shared__ __align__(16) float ws[2][STEP][TILE];
  int live = *rows;
  int t0 = blockIdx.y * TILE;
  int n0 = blockIdx.x * TILE;
  if (t0 >= live) {
    return;
  }
  // Who reads what: of x one row and four k, of w one k and four columns.
  int x_row = threadIdx.x >> 1;
  int x_k = (threadIdx.x & 1) * 4;
  int w_k = threadIdx.x >> 5;
  int w_n = (threadIdx.x & 31) * 4;
  const float* x_from = x + (size_t)min(t0 + x_row, live - 1) * x_stride;
  bool w_real = n0 + w_n < pitch;
  const float* w_from = w + (w_real ? n0 + w_n : 0);
  int tx = (threadIdx.x & 15) * 4;
  int ty = (threadIdx.x >> 4) * 4;

  float total[8][8];
  float chain[8][8];
#pragma unroll
  for (int i = 0; i < 8; i++) {
#pragma unroll
    for (int j = 0; j < 8; j++) {
      chain[i][j] = 0.0f;
      // -0 plus the first block's chain is that chain, whatever its sign.
      total[i][j] = -0.0f;
    }
  }
  float x_next[4];
  float4 w_next = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  auto read = [&](int k) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      x_next[i] = k + x_k + i < depth ? x_from[k + x_k + i] : 0.0f;
    }
    if (w_real && k + w_k < depth) {
      w_next = *(const float4*)(w_from + (size_t)(k + w_k) * pitch);
    }
  };
  auto write = [&](int buffer) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      xs[buffer][x_k + i][x_row] = x_next[i];
    }
    *(float4*)&ws[buffer][w_k][w_n] = w_next;
  };
  auto use = [&](int buffer, int k) {
    float a[8];
    float b[8];
    *(float4*)&a[0] = *(const float4*)&xs[buffer][k][ty];
    *(float4*)&a[4] = *(const float4*)&xs[buffer][k][ty + 64];
    *(float4*)&b[0] = *(const float4*)&ws[buffer][k][tx];
    *(float4*)&b[4] = *(const float4*)&ws[buffer][k][tx + 64];
#pragma unroll
    for (int i = 0; i < 8; i++) {
#pragma unroll
      for (int j = 0; j < 8; j++) {
        chain[i][j] = __fmaf_rn(a[i], b[j], chain[i][j]);
      }
    }
  };

  read(0);
  write(0);
  __syncthreads();
  int buffer = 0;
  for (int k = 0; k < depth; k += STEP) {
    bool more = k + STEP < depth;
    if (more) {
      read(k + STEP);
    }
    if (depth - k >= STEP) {
#pragma unroll
      for (int i = 0; i < STEP; i++) {
        use(buffer, i);
      }
    } else {
#pragma unroll 1
      for (int i = 0; i < depth - k; i++) {
        use(buffer, i);
      }
    }
    if (((k + STEP) & (BLOCK - 1)) == 0 || !more) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
          total[i][j] = __fadd_rn(total[i][j], chain[i][j]);
          chain[i][j] = 0.0f;
        }
      }
    }
    if (more) {
      write(buffer ^ 1);
      __syncthreads();
      buffer ^= 1;
    }
  }
  // Through shared memory, sixteen rows of the tile at a time, so that results are stored side by side.
  float* stage = &xs[0][0][0];
#pragma unroll
  for (int i = 0; i < 8; i++) {
    __syncthreads();
    *(float4*)(stage + (threadIdx.x >> 4) * TILE + tx) = *(const float4*)&total[i][0];
    *(float4*)(stage + (threadIdx.x >> 4) * TILE + tx + 64) = *(const float4*)&total[i][4];
    __syncthreads();
#pragma unroll 1
    for (int e = threadIdx.x; e < 16 * TILE; e += 256) {
      int t = t0 + (e / TILE) * 4 + (i & 3) + (i >> 2) * 64;
      int n = n0 + e % TILE;
      if (t < live && n < columns) {
        store_element(stage[e], bias, residual, y, y_stride, t, n, columns, mode, fault, op);
      }
    }
  }
}

// For 1 to 4 rows at a time, as decoding has them; bound by the reading of the weight. The blocks of 512 k are chains of their
// own: eight warps of a block take eight of them at a time for 32 outputs, one a lane, and add them in ascending order through
// shared memory. Grid (ceil(N / 32), ceil(T / 4)), block 256. Arguments as linear_f32's.
#define ROWS 4
#define WARPS 8
extern "C" __global__ void __launch_bounds__(256) linear_f32_rows(const float* x, int x_stride, const float* w, int pitch, const float* bias,
                                                                  const float* residual, float* y, int y_stride, const int* rows,
                                                                  int columns, int depth, int mode, unsigned long long* fault, int op) {
  __shared__ float chains[WARPS][ROWS][32];
  int live = *rows;
  int t0 = blockIdx.y * ROWS;
  if (t0 >= live) {
    return;
  }
  int warp = threadIdx.x >> 5;
  int lane = threadIdx.x & 31;
  int n = blockIdx.x * 32 + lane;
  const float* column = w + min(n, columns - 1);
  const float* input[ROWS];
#pragma unroll
  for (int t = 0; t < ROWS; t++) {
    input[t] = x + (size_t)min(t0 + t, live - 1) * x_stride;
  }
  float total = 0.0f;
  for (int first = 0; first < depth; first += WARPS * BLOCK) {
    int from = first + warp * BLOCK;
    int to = min(depth, from + BLOCK);
    float chain[ROWS];
#pragma unroll
    for (int t = 0; t < ROWS; t++) {
      chain[t] = 0.0f;
    }
    int k = from;
    for (; k + 16 <= to; k += 16) {
      float a[16];
#pragma unroll
      for (int i = 0; i < 16; i++) {
        a[i] = __ldg(column + (size_t)(k + i) * pitch);
      }
#pragma unroll
      for (int i = 0; i < 16; i++) {
#pragma unroll
        for (int t = 0; t < ROWS; t++) {
          chain[t] = __fmaf_rn(__ldg(input[t] + k + i), a[i], chain[t]);
        }
      }
    }
    for (; k < to; k++) {
      float a = __ldg(column + (size_t)k * pitch);
#pragma unroll
      for (int t = 0; t < ROWS; t++) {
        chain[t] = __fmaf_rn(__ldg(input[t] + k), a, chain[t]);
      }
    }
#pragma unroll
    for (int t = 0; t < ROWS; t++) {
      chains[warp][t][lane] = chain[t];
    }
    __syncthreads();
    // Warp t adds the chains of row t.
    if (warp < ROWS) {
      for (int b = 0; b < WARPS && first + b * BLOCK < depth; b++) {
        float value = chains[b][warp][lane];
        total = first + b == 0 ? value : __fadd_rn(total, value);
      }
    }
    __syncthreads();
  }
  if (warp < ROWS && t0 + warp < live && n < columns) {
    store_element(total, bias, residual, y, y_stride, t0 + warp, n, columns, mode, fault, op);
  }
}
