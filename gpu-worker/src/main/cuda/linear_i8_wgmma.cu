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

#define DEPTH 128
#define STAGES 4
#define LEAD (STAGES - 2)
#define TM 128
#define THREADS 256

__device__ __forceinline__ unsigned int shared_address(const void* pointer) { return (unsigned int)__cvta_generic_to_shared(pointer); }

// Copies 16 bytes without waiting, or writes 16 zeros.
__device__ __forceinline__ void copy16(unsigned int target, const signed char* source, bool real) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(real ? 16 : 0) : "memory");
}

// Describes rows of 128 bytes in shared memory, 8 of them in 1024 bytes, with the 128-byte swizzle (PTX ISA, "Matrix Descriptor
// Format"): bits 0-13 the address, 16-29 the leading offset, which this layout does not use, 32-45 the stride of 8 rows, all in units
// of 16 bytes; 62-63 the swizzle.
__device__ __forceinline__ unsigned long long descriptor(unsigned int address) {
  return (1ull << 62) | (64ull << 32) | (1ull << 16) | ((address & 0x3ffff) >> 4);
}

// c (64, 128) of the warp group += a (64, 32) * b (128, 32), transposed.
__device__ __forceinline__ void multiply_add(int (&c)[64], unsigned long long a, unsigned long long b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, 1;"
      :
        "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3]), "+r"(c[4]), "+r"(c[5]), "+r"(c[6]), "+r"(c[7]),
        "+r"(c[8]), "+r"(c[9]), "+r"(c[10]), "+r"(c[11]), "+r"(c[12]), "+r"(c[13]), "+r"(c[14]), "+r"(c[15]),
        "+r"(c[16]), "+r"(c[17]), "+r"(c[18]), "+r"(c[19]), "+r"(c[20]), "+r"(c[21]), "+r"(c[22]), "+r"(c[23]),
        "+r"(c[24]), "+r"(c[25]), "+r"(c[26]), "+r"(c[27]), "+r"(c[28]), "+r"(c[29]), "+r"(c[30]), "+r"(c[31]),
        "+r"(c[32]), "+r"(c[33]), "+r"(c[34]), "+r"(c[35]), "+r"(c[36]), "+r"(c[37]), "+r"(c[38]), "+r"(c[39]),
        "+r"(c[40]), "+r"(c[41]), "+r"(c[42]), "+r"(c[43]), "+r"(c[44]), "+r"(c[45]), "+r"(c[46]), "+r"(c[47]),
        "+r"(c[48]), "+r"(c[49]), "+r"(c[50]), "+r"(c[51]), "+r"(c[52]), "+r"(c[53]), "+r"(c[54]), "+r"(c[55]),
        "+r"(c[56]), "+r"(c[57]), "+r"(c[58]), "+r"(c[59]), "+r"(c[60]), "+r"(c[61]), "+r"(c[62]), "+r"(c[63])
      : "l"(a), "l"(b));
}

// c (64, 256) of the warp group += a (64, 32) * b (256, 32), transposed.
__device__ __forceinline__ void multiply_add(int (&c)[128], unsigned long long a, unsigned long long b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, 1;"
      :
        "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3]), "+r"(c[4]), "+r"(c[5]), "+r"(c[6]), "+r"(c[7]),
        "+r"(c[8]), "+r"(c[9]), "+r"(c[10]), "+r"(c[11]), "+r"(c[12]), "+r"(c[13]), "+r"(c[14]), "+r"(c[15]),
        "+r"(c[16]), "+r"(c[17]), "+r"(c[18]), "+r"(c[19]), "+r"(c[20]), "+r"(c[21]), "+r"(c[22]), "+r"(c[23]),
        "+r"(c[24]), "+r"(c[25]), "+r"(c[26]), "+r"(c[27]), "+r"(c[28]), "+r"(c[29]), "+r"(c[30]), "+r"(c[31]),
        "+r"(c[32]), "+r"(c[33]), "+r"(c[34]), "+r"(c[35]), "+r"(c[36]), "+r"(c[37]), "+r"(c[38]), "+r"(c[39]),
        "+r"(c[40]), "+r"(c[41]), "+r"(c[42]), "+r"(c[43]), "+r"(c[44]), "+r"(c[45]), "+r"(c[46]), "+r"(c[47]),
        "+r"(c[48]), "+r"(c[49]), "+r"(c[50]), "+r"(c[51]), "+r"(c[52]), "+r"(c[53]), "+r"(c[54]), "+r"(c[55]),
        "+r"(c[56]), "+r"(c[57]), "+r"(c[58]), "+r"(c[59]), "+r"(c[60]), "+r"(c[61]), "+r"(c[62]), "+r"(c[63]),
        "+r"(c[64]), "+r"(c[65]), "+r"(c[66]), "+r"(c[67]), "+r"(c[68]), "+r"(c[69]), "+r"(c[70]), "+r"(c[71]),
        "+r"(c[72]), "+r"(c[73]), "+r"(c[74]), "+r"(c[75]), "+r"(c[76]), "+r"(c[77]), "+r"(c[78]), "+r"(c[79]),
        "+r"(c[80]), "+r"(c[81]), "+r"(c[82]), "+r"(c[83]), "+r"(c[84]), "+r"(c[85]), "+r"(c[86]), "+r"(c[87]),
        "+r"(c[88]), "+r"(c[89]), "+r"(c[90]), "+r"(c[91]), "+r"(c[92]), "+r"(c[93]), "+r"(c[94]), "+r"(c[95]),
        "+r"(c[96]), "+r"(c[97]), "+r"(c[98]), "+r"(c[99]), "+r"(c[100]), "+r"(c[101]), "+r"(c[102]), "+r"(c[103]),
        "+r"(c[104]), "+r"(c[105]), "+r"(c[106]), "+r"(c[107]), "+r"(c[108]), "+r"(c[109]), "+r"(c[110]), "+r"(c[111]),
        "+r"(c[112]), "+r"(c[113]), "+r"(c[114]), "+r"(c[115]), "+r"(c[116]), "+r"(c[117]), "+r"(c[118]), "+r"(c[119]),
        "+r"(c[120]), "+r"(c[121]), "+r"(c[122]), "+r"(c[123]), "+r"(c[124]), "+r"(c[125]), "+r"(c[126]), "+r"(c[127])
      : "l"(a), "l"(b));
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
