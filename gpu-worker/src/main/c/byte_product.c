/* Linear layers of profile i8-v1 (docs/numerics.md, "Linear layers in i8-v1") by the dot-product instructions of x86-64 CPUs,
 * which Java's Vector API does not have. The twins in Java are Quantiser and ByteProduct of package kernels.vector; the reference is
 * QuantisedRows. An integer sum is exact in any order, so instruction sets differ in speed alone.
 *
 *   sum(t, n)  = the sum over k of qx(t, k) * qw(n, k)                 |q| <= 127
 *   y(t, n)    = float(sum(t, n)) * (rowScales[t] * columnScales[n])   three roundings
 *   y(t, n)   += bias[n], if there is one                              a fourth
 *
 * Bytes of x are held as qx + offset. VPDPBUSD multiplies unsigned bytes by signed ones, so with it the offset is 128, and sums begin
 * at starts[n] = -128 * the sum of qw(n, k) over k. Additions wrap and a sum of at most 131,072 products fits an int32, so the result
 * is right however far the sums went astray on the way. VPMADDUBSW adds pairs of products in 16 bits; |qx * qw| * 2 <= 32,258 fits.
 *
 * Layouts: x is (rows, depth), depth a multiple of 4, what lies behind the row's end 0 + offset. The weight is in panels of 32
 * columns: byte (n, k) at n / 32 * (32 * depth) + k / 4 * 128 + n % 32 * 4 + k % 4, zeros where n or k is past the end. starts and
 * columnScales reach to the end of the last panel.
 *
 * Memory policy: reads and writes what it is given, allocates nothing, calls nothing: the library needs no other, not even libc. The
 * caller has checked every bound. Floating point: round to nearest even, subnormals kept, contraction off (scripts/build-native.sh). */

#include <immintrin.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define PANEL 32
#define EXPONENT 0x7f800000
#define MAGNITUDE 0x7fffffff
#define LIMIT 127
/* Added to a float below 2^22 in magnitude it leaves the nearest integer, ties to even, in the low bits. */
#define ROUNDER 0x1.8p23f

typedef int32_t four_bytes __attribute__((aligned(1), may_alias));

typedef struct {
  const uint8_t *x;
  const float *rowScales;
  int64_t depth;
  const int8_t *w;
  const int32_t *starts;
  const float *columnScales;
  const float *bias;
  int64_t cols;
  float *y;
} product;

typedef struct {
  const float *x;
  int64_t rows;
  int64_t cols;
  int64_t depth;
  int32_t offset;
  uint8_t *q;
  float *scales;
} quantisation;

static inline int32_t bits(float value) {
  union {
    float value;
    int32_t bits;
  } either = {.value = value};
  return either.bits;
}

static inline float number(int32_t bits) {
  union {
    int32_t bits;
    float value;
  } either = {.bits = bits};
  return either.value;
}

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vnni,avx512bw,prefer-vector-width=512")
#define NAME(word) word##_avx512_vnni
#define LANES 16
#define ROWS_MAX 8
#define dot(sums, x, w) ((NAME(ints))_mm512_dpbusd_epi32((__m512i)(sums), (__m512i)(x), (__m512i)(w)))
#include "byte_tiles.h"
#pragma GCC pop_options
#undef NAME
#undef LANES
#undef ROWS_MAX
#undef dot

#pragma GCC push_options
#pragma GCC target("avx2,avxvnni")
#define NAME(word) word##_avx_vnni
#define LANES 8
#define ROWS_MAX 6
#define dot(sums, x, w) ((NAME(ints))_mm256_dpbusd_avx_epi32((__m256i)(sums), (__m256i)(x), (__m256i)(w)))
#include "byte_tiles.h"
#pragma GCC pop_options
#undef NAME
#undef LANES
#undef ROWS_MAX
#undef dot

#pragma GCC push_options
#pragma GCC target("avx2")
#define NAME(word) word##_avx2
#define LANES 8
#define ROWS_MAX 6
#define dot(sums, x, w)                                                                                                   \
  ((sums) + (NAME(ints))_mm256_madd_epi16(                                                                                \
                _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)(w)), _mm256_sign_epi8((__m256i)(x), (__m256i)(w))),        \
                _mm256_set1_epi16(1)))
#include "byte_tiles.h"
#pragma GCC pop_options
#undef NAME
#undef LANES
#undef ROWS_MAX
#undef dot

/* The instruction sets, as InstructionSet.java numbers them. */
enum { AVX512_VNNI = 0, AVX_VNNI = 1, AVX2 = 2, FLOAT_WIDTHS = 8 };

static void cpuid(uint32_t leaf, uint32_t part, uint32_t out[4]) {
  __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(part));
}

/* What this CPU has and its operating system keeps the registers of: bit n stands for instruction set n, bit FLOAT_WIDTHS + n for width
 * n of float_product.c. */
EXPORT int32_t rigmesh_instruction_sets(void) {
  uint32_t r[4];
  cpuid(0, 0, r);
  if (r[0] < 7) {
    return 0;
  }
  cpuid(1, 0, r);
  if (!(r[2] >> 27 & 1)) { /* OSXSAVE */
    return 0;
  }
  const uint32_t fma = r[2] >> 12 & 1;
  uint32_t saved, high;
  __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  cpuid(7, 0, r);
  const uint32_t parts = r[0], b = r[1], c = r[2];
  int32_t sets = 0;
  if ((saved & 0x06) == 0x06 && b >> 5 & 1) {
    sets |= 1 << AVX2;
    sets |= (int32_t)(fma << (FLOAT_WIDTHS + 1));
    if (parts >= 1) {
      cpuid(7, 1, r);
      sets |= (r[0] >> 4 & 1) << AVX_VNNI;
    }
  }
  if ((saved & 0xe6) == 0xe6 && b >> 16 & 1) { /* F */
    sets |= (int32_t)((b >> 17 & 1) << FLOAT_WIDTHS); /* DQ */
    sets |= (int32_t)(b >> 30 & c >> 11 & 1) << AVX512_VNNI; /* BW, VNNI */
  }
  return sets;
}

/* Quantises rows: the scale of a row is its largest magnitude / 127, or NaN if it holds NaN or infinity; its elements become bytes,
 * plus `offset`, `depth` apart. */
EXPORT void rigmesh_quantise_rows(int32_t set, const float *x, int64_t rows, int64_t cols, int64_t depth, int32_t offset, uint8_t *q,
                                  float *scales) {
  const quantisation task = {x, rows, cols, depth, offset, q, scales};
  switch (set) {
  case AVX512_VNNI:
    quantise_avx512_vnni(&task);
    break;
  case AVX_VNNI:
    quantise_avx_vnni(&task);
    break;
  default:
    quantise_avx2(&task);
  }
}

/* Computes the columns `from` to `to`, the end excluded, both multiples of 32, of all rows of y, which is (rows, cols); returns
 * whether one of them is NaN or infinite. `bias` may be null. */
EXPORT int32_t rigmesh_byte_product(int32_t set, const uint8_t *x, const float *rowScales, int64_t rows, int64_t depth, const int8_t *w,
                                    const int32_t *starts, const float *columnScales, const float *bias, int64_t from, int64_t to,
                                    int64_t cols, float *y) {
  const product task = {x, rowScales, depth, w, starts, columnScales, bias, cols, y};
  switch (set) {
  case AVX512_VNNI:
    return product_avx512_vnni(&task, rows, from, to);
  case AVX_VNNI:
    return product_avx_vnni(&task, rows, from, to);
  default:
    return product_avx2(&task, rows, from, to);
  }
}
