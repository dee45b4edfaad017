// linear in profile i8-v1 for many rows, as prefill and large batches have them: y(t, n) = float(acc) * (s(t) * s(n)) (+ bias), acc =
// sum over k of x(t, k) * w(n, k), exact in int32, so the tensor cores may add in any order.
// Architecture: compute_80
//
// CPU twin: Kernels.linear on a weight packed in profile i8-v1. mma.sync.m16n8k32 on tiles of x and w in shared memory that
// cp.async fills several stages ahead; ldmatrix reads them. A tile's row is 64 bytes of k, its four 16-byte pieces permuted by
// the row (piece ^ row/2 mod 4), so that neither the writes nor ldmatrix meet a bank twice. Rows past T and n past N, and k
// past the pitch, are filled with 0. Memory: x is read once per column of tiles, w once per row of tiles; y is written once.
// Grid (ceil(N / tile columns), ceil(T / tile rows)); a SWIGLU tile holds as many gates as ups, in turns of eight columns, so
// that both of a pair end in one thread. Weight and x lie in rows of `pitch` bytes, a multiple of 16.
#include "epilogue.cuh"

#define DEPTH 64
#define STAGES 4

__device__ __forceinline__ unsigned int shared_address(const void* pointer) { return (unsigned int)__cvta_generic_to_shared(pointer); }

// Copies 16 bytes without waiting, or writes 16 zeros.
__device__ __forceinline__ void copy16(unsigned int target, const signed char* source, bool real) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(real ? 16 : 0) : "memory");
}

__device__ __forceinline__ void load_four(unsigned int address, unsigned int (&r)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

__device__ __forceinline__ void multiply_add(int (&c)[4], const unsigned int (&a)[4], unsigned int b0, unsigned int b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Where 16-byte piece `piece` of row `row` of a tile lies.
__device__ __forceinline__ int place(int row, int piece) { return row * DEPTH + ((piece ^ ((row >> 1) & 3)) << 4); }

// TM x TN outputs a block, WM x WN of them a warp.
template <int TM, int TN, int WM, int WN>
__device__ __forceinline__ void product(const signed char* x, const float* x_scale, const signed char* w, const float* w_scale,
                                        const float* bias, const float* residual, float* y, int y_stride, const int* rows, int columns,
                                        int pitch, int mode, unsigned long long* fault, int op) {
  constexpr int THREADS = (TM / WM) * (TN / WN) * 32;
  constexpr int STAGE = (TM + TN) * DEPTH;
  constexpr int PIECES = DEPTH / 16;
  extern __shared__ __align__(128) signed char shared[];
  int live = *rows;
  int t0 = blockIdx.y * TM;
  if (t0 >= live) {
    return;
  }
  int half = columns / 2;
  int n0 = mode == SWIGLU ? (int)blockIdx.x * (TN / 2) : (int)blockIdx.x * TN;
  int steps = (pitch + DEPTH - 1) / DEPTH;

  auto fill = [&](int step) {
    unsigned int stage = shared_address(shared) + (step % STAGES) * STAGE;
    for (int i = threadIdx.x; i < (TM + TN) * PIECES; i += THREADS) {
      int row = i / PIECES;
      int piece = i % PIECES;
      int k = step * DEPTH + piece * 16;
      const signed char* source;
      bool real;
      if (row < TM) {
        real = t0 + row < live && k < pitch;
        source = x + (real ? (size_t)(t0 + row) * pitch + k : 0);
        copy16(stage + place(row, piece), source, real);
      } else {
        int j = row - TM;
        int n = mode == SWIGLU ? n0 + (j >> 4) * 8 + (j & 7) : n0 + j;
        real = n < (mode == SWIGLU ? half : columns) && k < pitch;
        if (mode == SWIGLU && (j & 8)) {
          n += half;
        }
        source = w + (real ? (size_t)n * pitch + k : 0);
        copy16(stage + TM * DEPTH + place(j, piece), source, real);
      }
    }
  };

  int warp = threadIdx.x >> 5;
  int lane = threadIdx.x & 31;
  int warp_m = (warp / (TN / WN)) * WM;
  int warp_n = (warp % (TN / WN)) * WN;
  int acc[WM / 16][WN / 8][4];
#pragma unroll
  for (int i = 0; i < WM / 16; i++) {
#pragma unroll
    for (int j = 0; j < WN / 8; j++) {
#pragma unroll
      for (int r = 0; r < 4; r++) {
        acc[i][j][r] = 0;
      }
    }
  }

#pragma unroll
  for (int step = 0; step < STAGES - 1; step++) {
    if (step < steps) {
      fill(step);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  for (int step = 0; step < steps; step++) {
    asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
    __syncthreads();
    // The stage that is filled now was last read in the step before this barrier.
    if (step + STAGES - 1 < steps) {
      fill(step + STAGES - 1);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
    unsigned int stage = shared_address(shared) + (step % STAGES) * STAGE;
#pragma unroll
    for (int k = 0; k < PIECES; k += 2) {
      unsigned int a[WM / 16][4];
      unsigned int b[WN / 16][4];
#pragma unroll
      for (int i = 0; i < WM / 16; i++) {
        // Four 8x16-byte matrices: rows 0-7 and 8-15 of the first 16 bytes, then of the next.
        int row = warp_m + i * 16 + (lane & 15);
        load_four(stage + place(row, k + (lane >> 4)), a[i]);
      }
#pragma unroll
      for (int j = 0; j < WN / 16; j++) {
        // Columns 0-7 with both halves of k, then columns 8-15.
        int row = warp_n + j * 16 + ((lane >> 4) << 3) + (lane & 7);
        load_four(stage + TM * DEPTH + place(row, k + ((lane >> 3) & 1)), b[j]);
      }
#pragma unroll
      for (int i = 0; i < WM / 16; i++) {
#pragma unroll
        for (int j = 0; j < WN / 8; j++) {
          multiply_add(acc[i][j], a[i], b[j / 2][(j & 1) * 2], b[j / 2][(j & 1) * 2 + 1]);
        }
      }
    }
  }

  // Accumulator r of a 16x8 piece lies in row lane / 4 (+ 8 for r 2 and 3) and column lane mod 4 * 2 (+ 1 for r 1 and 3).
#pragma unroll
  for (int i = 0; i < WM / 16; i++) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      int t = t0 + warp_m + i * 16 + (lane >> 2) + (r >> 1) * 8;
      if (t >= live) {
        continue;
      }
      float s = x_scale[t];
      int column = (lane & 3) * 2 + (r & 1);
      if (mode == SWIGLU) {
#pragma unroll
        for (int j = 0; j < WN / 8; j += 2) {
          int n = n0 + (warp_n + j * 8) / 2 + column;
          if (n < half) {
            float gate = __fmul_rn((float)acc[i][j][r], __fmul_rn(s, w_scale[n]));
            float up = __fmul_rn((float)acc[i][j + 1][r], __fmul_rn(s, w_scale[n + half]));
            store_swiglu(gate, up, bias, y, y_stride, t, n, columns, fault, op);
          }
        }
      } else {
#pragma unroll
        for (int j = 0; j < WN / 8; j++) {
          int n = n0 + warp_n + j * 8 + column;
          if (n < columns) {
            float dot = __fmul_rn((float)acc[i][j][r], __fmul_rn(s, w_scale[n]));
            store_element(dot, bias, residual, y, y_stride, t, n, columns, mode, fault, op);
          }
        }
      }
    }
  }
}

// Tiles of 128 rows and 128 columns; block 256, 65536 bytes of shared memory with the launch. x (T, pitch), x_scale (T), w
// (columns, pitch), w_scale (columns), bias (columns) or null, residual and y with rows y_stride floats apart. mode is PLAIN,
// RESIDUAL or SWIGLU; SWIGLU wants an even number of columns.
extern "C" __global__ void __launch_bounds__(256, 2) linear_i8_mma_128x128(const signed char* x, const float* x_scale, const signed char* w,
                                                                           const float* w_scale, const float* bias, const float* residual,
                                                                           float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                           int mode, unsigned long long* fault, int op) {
  product<128, 128, 64, 32>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}

// As linear_i8_mma_128x128 with tiles of 64 rows and 32 columns, for batches whose rows fit one or two tiles: the weight is then
// read once and many blocks share the reading. Block 128, 24576 bytes of shared memory with the launch.
extern "C" __global__ void __launch_bounds__(128) linear_i8_mma_64x32(const signed char* x, const float* x_scale, const signed char* w,
                                                                      const float* w_scale, const float* bias, const float* residual,
                                                                      float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                      int mode, unsigned long long* fault, int op) {
  product<64, 32, 32, 16>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}

// As linear_i8_mma_64x32 with tiles of 16 rows and 32 columns. Block 64, 12288 bytes of shared memory with the launch.
extern "C" __global__ void __launch_bounds__(64) linear_i8_mma_16x32(const signed char* x, const float* x_scale, const signed char* w,
                                                                     const float* w_scale, const float* bias, const float* residual,
                                                                     float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                     int mode, unsigned long long* fault, int op) {
  product<16, 32, 16, 16>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}
