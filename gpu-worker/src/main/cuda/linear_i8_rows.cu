// linear in profile i8-v1 for 1 to 8 rows at a time, as decoding has them: y(t, n) = float(acc) * (s(t) * s(n)) (+ bias), acc =
// sum over k of x(t, k) * w(n, k), exact in int32, so its order is free.
//
// CPU twin: Kernels.linear on a weight packed in profile i8-v1. Bound by the reading of the weight, which happens once for all
// rows: a block of 128 threads owns four rows of the weight, every thread reads 16 bytes of each of them at a time, all four
// loads before the first use, so that a multiprocessor has tens of kilobytes under way; rows of x come from the cache. dp4a
// multiplies and adds four bytes at a time. The sums of the 128 threads meet by shuffles that halve the number of sums a thread
// carries in every step, then through shared memory. Grid (ceil(N / 4)) (SWIGLU: ceil(N / 8 * 2) blocks of two gates and their two
// ups), y: ceil(T / rows of the entry). Weight and x lie in rows of `pitch` bytes, a multiple of 16, with 0 behind the columns.
#include "epilogue.cuh"
#include "warp_sums.cuh"

#define THREADS 128
#define WEIGHT_ROWS 4

template <int T>
__device__ __forceinline__ void product(const signed char* x, const float* x_scale, const signed char* w, const float* w_scale,
                                        const float* bias, const float* residual, float* y, int y_stride, const int* rows, int columns,
                                        int pitch, int mode, unsigned long long* fault, int op) {
  constexpr int SUMS = T * WEIGHT_ROWS;
  __shared__ int shared[THREADS / 32][SUMS];
  int live = *rows;
  int first_row = blockIdx.y * T;
  if (first_row >= live) {
    return;
  }
  int half = columns / 2;
  int n[WEIGHT_ROWS];
#pragma unroll
  for (int r = 0; r < WEIGHT_ROWS; r++) {
    // Gates are the rows below half, their ups lie half the weight further.
    n[r] = mode == SWIGLU ? (int)blockIdx.x * 2 + (r & 1) + (r >> 1) * half : (int)blockIdx.x * WEIGHT_ROWS + r;
  }
  int end = mode == SWIGLU ? half : columns;
  int chunks = pitch >> 4;
  const int4* weight[WEIGHT_ROWS];
#pragma unroll
  for (int r = 0; r < WEIGHT_ROWS; r++) {
    // A row past the end reads the last row instead; its sum is not stored.
    weight[r] = (const int4*)(w + (size_t)min(n[r], columns - 1) * pitch);
  }
  const int4* input[T];
#pragma unroll
  for (int t = 0; t < T; t++) {
    input[t] = (const int4*)(x + (size_t)min(first_row + t, live - 1) * pitch);
  }
  int sums[SUMS];
#pragma unroll
  for (int i = 0; i < SUMS; i++) {
    sums[i] = 0;
  }
#pragma unroll 2
  for (int chunk = threadIdx.x; chunk < chunks; chunk += THREADS) {
    int4 a[WEIGHT_ROWS];
#pragma unroll
    for (int r = 0; r < WEIGHT_ROWS; r++) {
      a[r] = __ldg(weight[r] + chunk);
    }
#pragma unroll
    for (int t = 0; t < T; t++) {
      int4 b = __ldg(input[t] + chunk);
#pragma unroll
      for (int r = 0; r < WEIGHT_ROWS; r++) {
        int sum = sums[t * WEIGHT_ROWS + r];
        sum = __dp4a(a[r].x, b.x, sum);
        sum = __dp4a(a[r].y, b.y, sum);
        sum = __dp4a(a[r].z, b.z, sum);
        sums[t * WEIGHT_ROWS + r] = __dp4a(a[r].w, b.w, sum);
      }
    }
  }
  int sum = warp_sums<SUMS>(sums);
  int lane = threadIdx.x & 31;
  if (lane % (32 / SUMS) == 0) {
    shared[threadIdx.x >> 5][lane / (32 / SUMS)] = sum;
  }
  __syncthreads();
  int i = threadIdx.x;
  int outputs = mode == SWIGLU ? SUMS / 2 : SUMS;
  if (i >= outputs) {
    return;
  }
  int per_row = mode == SWIGLU ? WEIGHT_ROWS / 2 : WEIGHT_ROWS;
  int t = i / per_row;
  int r = i % per_row;
  int row = first_row + t;
  int column = mode == SWIGLU ? (int)blockIdx.x * 2 + r : (int)blockIdx.x * WEIGHT_ROWS + r;
  if (row >= live || column >= end) {
    return;
  }
  int acc = 0;
  for (int warp = 0; warp < THREADS / 32; warp++) {
    acc += shared[warp][t * WEIGHT_ROWS + r];
  }
  float s = x_scale[row];
  float dot = __fmul_rn((float)acc, __fmul_rn(s, w_scale[column]));
  if (mode == SWIGLU) {
    int up = 0;
    for (int warp = 0; warp < THREADS / 32; warp++) {
      up += shared[warp][t * WEIGHT_ROWS + r + 2];
    }
    store_swiglu(dot, __fmul_rn((float)up, __fmul_rn(s, w_scale[column + half])), bias, y, y_stride, row, column, columns, fault, op);
  } else {
    store_element(dot, bias, residual, y, y_stride, row, column, columns, mode, fault, op);
  }
}

// x (T, pitch), x_scale (T), w (columns, pitch), w_scale (columns), bias (columns) or null, residual and y with rows y_stride floats
// apart. mode is PLAIN, RESIDUAL or SWIGLU; SWIGLU wants an even number of columns. One row of x in a block.
extern "C" __global__ void __launch_bounds__(THREADS) linear_i8_rows_1(const signed char* x, const float* x_scale, const signed char* w,
                                                                       const float* w_scale, const float* bias, const float* residual,
                                                                       float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                       int mode, unsigned long long* fault, int op) {
  product<1>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}

// As linear_i8_rows_1 with two rows of x in a block.
extern "C" __global__ void __launch_bounds__(THREADS) linear_i8_rows_2(const signed char* x, const float* x_scale, const signed char* w,
                                                                       const float* w_scale, const float* bias, const float* residual,
                                                                       float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                       int mode, unsigned long long* fault, int op) {
  product<2>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}

// As linear_i8_rows_1 with four rows of x in a block.
extern "C" __global__ void __launch_bounds__(THREADS) linear_i8_rows_4(const signed char* x, const float* x_scale, const signed char* w,
                                                                       const float* w_scale, const float* bias, const float* residual,
                                                                       float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                       int mode, unsigned long long* fault, int op) {
  product<4>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}

// As linear_i8_rows_1 with eight rows of x in a block.
extern "C" __global__ void __launch_bounds__(THREADS) linear_i8_rows_8(const signed char* x, const float* x_scale, const signed char* w,
                                                                       const float* w_scale, const float* bias, const float* residual,
                                                                       float* y, int y_stride, const int* rows, int columns, int pitch,
                                                                       int mode, unsigned long long* fault, int op) {
  product<8>(x, x_scale, w, w_scale, bias, residual, y, y_stride, rows, columns, pitch, mode, fault, op);
}
