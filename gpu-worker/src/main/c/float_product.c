/* Linear layers of profile f32-v1 (docs/numerics.md, "Linear layers"). The twin in Java is MatrixProduct of package kernels.vector; the
 * reference is ScalarKernels.
 *
 *   chain(t, n, i) = the fused multiply-adds of x(t, k) * w(n, k) from +0, ascending over the k of block i
 *   y(t, n)        = chain(t, n, 0) + chain(t, n, 1) + ..., in this order
 *   y(t, n)       += bias[n], if there is one
 *
 * Vectors run across columns, never along a sum, so a chain's order costs nothing and no width of registers shows in a result: every
 * operation below that rounds is written as an intrinsic or stands alone. What this has before the twin are tiles of every height,
 * sums that stay in registers for all of them, and that the weight's next block is asked of memory while this one is in use: for
 * some tens of rows a weight's way from memory takes half as long as the arithmetic.
 *
 * Layouts: x has rows `stride` floats apart. The weight is in panels of two vectors of columns: element (n, k) at
 * n / panel * (panel * depth) + k * panel + n % panel, anything finite where n is past the end. y has rows `cols` floats apart.
 *
 * Memory policy and floating point as in byte_product.c; fused where an intrinsic says so and nowhere else. */

#include <immintrin.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define EXPONENT 0x7f800000
/* Steps of k between two looks at what to ask for, and the bytes of a cache line. */
#define STEPS 8
#define LINE 64

typedef struct {
  const float *x;
  int64_t stride;
  const float *w;
  int64_t depth;
  int64_t block;
  const float *bias;
  int64_t cols;
  float *y;
} product;

static inline int32_t bits(float value) {
  union {
    float value;
    int32_t bits;
  } either = {.value = value};
  return either.bits;
}

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,prefer-vector-width=512")
#define NAME(word) word##_avx512
#define LANES 16
#define ROWS_MAX 8
#define everywhere(x) ((NAME(floats))_mm512_set1_ps(x))
#define fused(a, b, c) ((NAME(floats))_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#include "float_tiles.h"
#pragma GCC pop_options
#undef NAME
#undef LANES
#undef ROWS_MAX
#undef everywhere
#undef fused

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define NAME(word) word##_fma
#define LANES 8
#define ROWS_MAX 6
#define everywhere(x) ((NAME(floats))_mm256_set1_ps(x))
#define fused(a, b, c) ((NAME(floats))_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#include "float_tiles.h"
#pragma GCC pop_options
#undef NAME
#undef LANES
#undef ROWS_MAX
#undef everywhere
#undef fused

/* The widths of vectors, as FloatProducts.java numbers them. */
enum { AVX512 = 0, FMA = 1 };

/* Computes the columns `from` to `to`, the end excluded, both multiples of the panel's width, of all rows of y; returns whether one of
 * them is NaN or infinite. `bias` may be null. `next` is the column, a multiple too, that this thread is likely to come to
 * afterwards, or negative. */
EXPORT int32_t rigmesh_float_product(int32_t width, const float *x, int64_t stride, int64_t rows, const float *w, int64_t depth,
                                     int64_t block, const float *bias, int64_t from, int64_t to, int64_t next, int64_t cols,
                                     float *y) {
  const product task = {x, stride, w, depth, block, bias, cols, y};
  return width == AVX512 ? product_avx512(&task, rows, from, to, next) : product_fma(&task, rows, from, to, next);
}
