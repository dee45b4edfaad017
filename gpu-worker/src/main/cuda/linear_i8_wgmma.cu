// linear in profile i8-v1 for many rows on Hopper: y(t, n) = float(acc) * (s(t) * s(n)) (+ bias), acc = sum over k of x(t, k) *
// w(n, k), exact in int32, so the tensor cores may add in any order.
// Architecture: compute_90a
//
// CPU twin: Kernels.linear on a weight packed in profile i8-v1; linear_i8_mma.cu does the same on any device since Ampere. Two
// warp groups of 128 threads own 64 rows each of a tile of 128; wgmma reads both operands from shared memory, which cp.async
// fills. A tile's row is 128 bytes of k, its eight 16-byte pieces permuted by the row (piece ^ row mod 8), which is the 128-byte
// swizzle that the matrix descriptors name. Of four stages two are on their way, one is multiplied and one was just read: it is
// filled again once every warp has waited for the products of the step before the last. Rows past T and n past N, and k past the pitch, are
// filled with 0. Memory: x is read once per column of tiles, w once per row of tiles; y is written once. Grid (ceil(N / tile
// columns), ceil(T / 128)); a SWIGLU tile holds as many gates as ups, in turns of eight columns, so that both of a pair end in
// one thread. Weight and x lie in rows of `pitch` bytes, a multiple of 16.
#include "epilogue.cuh"
#include "wgmma.cuh"

#define DEPTH 128
#define STAGES 4
#define LEAD (STAGES - 2)
#define TM 128
#define THREADS 256

// Copies 16 bytes without waiting, or writes 16 zeros.
__device__ __forceinline__ void copy16(unsigned int target, const signed char* source, bool real) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(real ? 16 : 0) : "memory");
}

// 128 x TN outputs a block.
template <int TN>
__device__ __forceinline__ void product(const signed char* x, const float* x_scale, const signed char* w, const float* w_scale,
                                        const float* bias, const float* residual, float* y, int y_stride, const int* rows, int columns,
                                        int pitch, int mode, unsigned long long* fault, int op) {
  constexpr int STAGE = (TM + TN) * DEPTH;
  constexpr int SUMS = TN / 2;
  constexpr int ROWS_AT_ONCE = THREADS / 8;
  // 8 numbers more than a row has, so that the eight rows that a warp writes at once meet no bank twice.
  constexpr int SUM_PITCH = TN + 8;
  extern __shared__ __align__(1024) signed char shared[];
  int live = *rows;
  int t0 = blockIdx.y * TM;
  if (t0 >= live) {
    return;
  }
  int half = columns / 2;
  int end = mode == SWIGLU ? half : columns;
  int n0 = mode == SWIGLU ? (int)blockIdx.x * (TN / 2) : (int)blockIdx.x * TN;
  int steps = (pitch + DEPTH - 1) / DEPTH;
  int piece = threadIdx.x & 7;
  int first = threadIdx.x >> 3;
  // Rows that a thread copies are 32 apart, so they have the same place in a swizzle.
  int place = first * DEPTH + ((piece ^ (first & 7)) << 4);

  auto fill = [&](int step) {
    unsigned int stage = shared_address(shared) + (step % STAGES) * STAGE + place;
    int k = step * DEPTH + piece * 16;
    bool inside = k < pitch;
#pragma unroll
    for (int i = 0; i < TM / ROWS_AT_ONCE; i++) {
      int t = t0 + first + i * ROWS_AT_ONCE;
      bool real = inside && t < live;
      copy16(stage + i * ROWS_AT_ONCE * DEPTH, x + (real ? (size_t)t * pitch + k : 0), real);
    }
#pragma unroll
    for (int i = 0; i < TN / ROWS_AT_ONCE; i++) {
      int j = first + i * ROWS_AT_ONCE;
      int n = mode == SWIGLU ? n0 + (j >> 4) * 8 + (j & 7) : n0 + j;
      bool real = inside && n < end;
      if (mode == SWIGLU && (j & 8)) {
        n += half;
      }
      copy16(stage + (TM + i * ROWS_AT_ONCE) * DEPTH, w + (real ? (size_t)n * pitch + k : 0), real);
    }
  };

  int group = threadIdx.x >> 7;
  int acc[SUMS];
#pragma unroll
  for (int i = 0; i < SUMS; i++) {
    acc[i] = 0;
  }
#pragma unroll
  for (int step = 0; step < LEAD; step++) {
    if (step < steps) {
      fill(step);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  for (int step = 0; step < steps; step++) {
    asm volatile("cp.async.wait_group %0;" ::"n"(LEAD - 1) : "memory");
    // What cp.async wrote is read by wgmma through the asynchronous proxy.
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();
    unsigned int stage = shared_address(shared) + (step % STAGES) * STAGE;
    unsigned long long a = descriptor(stage + group * 64 * DEPTH);
    unsigned long long b = descriptor(stage + TM * DEPTH);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
    for (int k = 0; k < DEPTH / 32; k++) {
      // 32 bytes of k further is 2 units of the address.
      multiply_add(acc, a + 2 * k, b + 2 * k);
    }
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    // The stage that is filled now was read by the products of two steps ago, which every warp awaited before this step's barrier.
    if (step + LEAD < steps) {
      fill(step + LEAD);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
  }
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
  for (int i = 0; i < SUMS; i++) {
    asm volatile("" : "+r"(acc[i])::"memory");
  }

  // Every warp is done with the stages, which now take the sums: what follows each is then written once and not for every register.
  __syncthreads();
  int* sums = (int*)shared;
  int warp = threadIdx.x >> 5;
  int lane = threadIdx.x & 31;
  // Sum r lies in row lane / 4 (+ 8 where r mod 4 is 2 or 3) of the warp's 16 and in column r / 4 * 8 + lane mod 4 * 2 + r mod 2.
  int* mine = sums + (warp * 16 + (lane >> 2)) * SUM_PITCH + (lane & 3) * 2;
#pragma unroll
  for (int r = 0; r < SUMS; r += 2) {
    *(int2*)(mine + (r & 2) * 4 * SUM_PITCH + (r >> 2) * 8) = make_int2(acc[r], acc[r + 1]);
  }
  __syncthreads();
  int width = mode == SWIGLU ? TN / 2 : TN;
  for (int i = threadIdx.x; i < TM * width; i += THREADS) {
    int row = i / width;
    int column = i % width;
    int t = t0 + row;
    int n = n0 + column;
    if (t >= live || n >= end) {
      continue;
    }
    float s = x_scale[t];
    const int* line = sums + row * SUM_PITCH;
    if (mode == SWIGLU) {
      const int* gate = line + (column >> 3) * 16 + (column & 7);
      store_swiglu(__fmul_rn((float)gate[0], __fmul_rn(s, w_scale[n])), __fmul_rn((float)gate[8], __fmul_rn(s, w_scale[n + half])), bias, y,
                   y_stride, t, n, columns, fault, op);
    } else {
      store_element(__fmul_rn((float)line[column], __fmul_rn(s, w_scale[n])), bias, residual, y, y_stride, t, n, columns, mode, fault, op);
    }
  }
}

// Tiles of 128 rows and 256 columns; block 256, 196608 bytes of shared memory with the launch. Arguments as linear_i8_mma_128x128.
extern "C" __global__ void __launch_bounds__(THREADS, 1) linear_i8_wgmma_128x256(const signed char* x, const float* x_scale,
                                                                                 const signed char* w, const float* w_scale,
                                                                                 const float* bias, const float* residual, float* y,
                                                                                 int y_stride, const int* rows, int columns, int pitch,
                                                                                 int mode, unsigned long long* fault, int op) {
  product<256>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}

// As linear_i8_wgmma_128x256 with tiles of 128 rows and 128 columns, for products of so few tiles that the larger ones would leave
// multiprocessors without any. Block 256, 131072 bytes of shared memory with the launch.
extern "C" __global__ void __launch_bounds__(THREADS, 1) linear_i8_wgmma_128x128(const signed char* x, const float* x_scale,
                                                                                 const signed char* w, const float* w_scale,
                                                                                 const float* bias, const float* residual, float* y,
                                                                                 int y_stride, const int* rows, int columns, int pitch,
                                                                                 int mode, unsigned long long* fault, int op) {
  product<128>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}
