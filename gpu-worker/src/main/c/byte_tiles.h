/* Included by byte_product.c once for every instruction set, between the pragmas that allow it. Given are:
 *
 *   NAME(word)       the word with the instruction set's name behind it
 *   LANES            columns of a vector: 16 or 8
 *   ROWS_MAX         rows of the tallest tile whose sums fit the registers beside two vectors of the weight
 *   dot(sums, x, w)  sums with the four products of bytes of x and w added in every lane
 *
 * and left are NAME(quantise) and NAME(product), which byte_product.c describes. */

typedef int32_t NAME(ints) __attribute__((vector_size(LANES * 4)));
typedef float NAME(floats) __attribute__((vector_size(LANES * 4)));
typedef int32_t NAME(ints_anywhere) __attribute__((vector_size(LANES * 4), aligned(1), may_alias));
typedef float NAME(floats_anywhere) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* Plain loops, of which the compiler makes vectors: what they read and write does not overlap. */
static int32_t NAME(largest)(const float *restrict x, int64_t cols) {
  int32_t largest = 0;
  for (int64_t i = 0; i < cols; i++) {
    int32_t magnitude = bits(x[i]) & MAGNITUDE;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

static void NAME(round)(const float *restrict x, int64_t cols, float scale, int32_t offset, uint8_t *restrict q) {
  for (int64_t i = 0; i < cols; i++) {
    int32_t rounded = bits(x[i] / scale + ROUNDER) - bits(ROUNDER);
    rounded = rounded > LIMIT ? LIMIT : rounded;
    rounded = rounded < -LIMIT ? -LIMIT : rounded;
    q[i] = (uint8_t)(rounded + offset);
  }
}

static void NAME(quantise)(const quantisation *t) {
  for (int64_t row = 0; row < t->rows; row++) {
    const float *x = t->x + row * t->cols;
    uint8_t *q = t->q + row * t->depth;
    const int32_t largest = NAME(largest)(x, t->cols);
    const float scale = largest >= EXPONENT ? number(EXPONENT | 1 << 22) : number(largest) / LIMIT;
    int64_t done = 0;
    t->scales[row] = scale;
    if (scale > 0) {
      NAME(round)(x, t->cols, scale, t->offset, q);
      done = t->cols;
    }
    for (; done < t->depth; done++) {
      q[done] = (uint8_t)t->offset;
    }
  }
}

/* The first `valid` columns of a vector of the last panel: past them there is neither bias nor y. */
static __attribute__((noinline)) int32_t NAME(part)(const product *p, const NAME(floats) *result, float *y, int64_t at,
                                                    int64_t valid) {
  int32_t special = 0;
  for (int64_t j = 0; j < valid; j++) {
    y[j] = p->bias ? (*result)[j] + p->bias[at + j] : (*result)[j];
    special |= (bits(y[j]) & EXPONENT) == EXPONENT;
  }
  return special;
}

/* A tile of `height` rows and `wide` vectors of columns, both constants where this is inlined, so that the loops over them are
 * unrolled and every sum stays in a register from the first k to the last: nothing is written but the result. */
static inline __attribute__((always_inline)) int32_t NAME(tile)(const product *p, const int height, const int wide, int64_t row,
                                                                int64_t column) {
  const int64_t depth = p->depth;
  const uint8_t *x = p->x + row * depth;
  const int8_t *w = p->w + column / PANEL * (PANEL * depth) + column % PANEL * 4;
  NAME(ints) sums[ROWS_MAX][4];
#pragma GCC unroll 4
  for (int v = 0; v < wide; v++) {
    NAME(ints) start = *(const NAME(ints_anywhere) *)(p->starts + column + v * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < height; i++) {
      sums[i][v] = start;
    }
  }
  for (int64_t k = 0; k < depth; k += 4) {
    NAME(ints) weights[4];
#pragma GCC unroll 4
    for (int v = 0; v < wide; v++) {
      weights[v] = *(const NAME(ints_anywhere) *)(w + k * PANEL + v * LANES / PANEL * (PANEL * depth) + v * LANES % PANEL * 4);
    }
#pragma GCC unroll 8
    for (int i = 0; i < height; i++) {
      NAME(ints) everywhere = *(const four_bytes *)(x + i * depth + k) - (NAME(ints)){0};
#pragma GCC unroll 4
      for (int v = 0; v < wide; v++) {
        sums[i][v] = dot(sums[i][v], everywhere, weights[v]);
      }
    }
  }
  NAME(ints) special = {0};
#pragma GCC unroll 4
  for (int v = 0; v < wide; v++) {
    const int64_t at = column + v * LANES;
    const int64_t valid = p->cols - at;
    const NAME(floats) columnScales = *(const NAME(floats_anywhere) *)(p->columnScales + at);
#pragma GCC unroll 8
    for (int i = 0; i < height; i++) {
      NAME(floats) result = __builtin_convertvector(sums[i][v], NAME(floats)) * (columnScales * p->rowScales[row + i]);
      float *y = p->y + (row + i) * p->cols + at;
      if (valid >= LANES) {
        if (p->bias) {
          result += *(const NAME(floats_anywhere) *)(p->bias + at);
        }
        *(NAME(floats_anywhere) *)y = result;
        special |= ((NAME(ints))result & EXPONENT) == EXPONENT;
      } else {
        special[0] |= NAME(part)(p, &result, y, at, valid);
      }
    }
  }
  int32_t any = 0;
  for (int j = 0; j < LANES; j++) {
    any |= special[j];
  }
  return any;
}

/* Rows for which the arithmetic waits for the weight: twice as many columns, so that more of it is under way. */
static __attribute__((noinline)) int32_t NAME(flat)(const product *p, int64_t height, int64_t column) {
  switch (height) {
  case 3:
    return NAME(tile)(p, 3, 4, 0, column);
  case 2:
    return NAME(tile)(p, 2, 4, 0, column);
  default:
    return NAME(tile)(p, 1, 4, 0, column);
  }
}

static __attribute__((noinline)) int32_t NAME(tall)(const product *p, int64_t height, int64_t row, int64_t column) {
  switch (height) {
#if ROWS_MAX >= 8
  case 8:
    return NAME(tile)(p, 8, 2, row, column);
  case 7:
    return NAME(tile)(p, 7, 2, row, column);
#endif
  case 6:
    return NAME(tile)(p, 6, 2, row, column);
  case 5:
    return NAME(tile)(p, 5, 2, row, column);
  case 4:
    return NAME(tile)(p, 4, 2, row, column);
  case 3:
    return NAME(tile)(p, 3, 2, row, column);
  case 2:
    return NAME(tile)(p, 2, 2, row, column);
  default:
    return NAME(tile)(p, 1, 2, row, column);
  }
}

/* Column by column of tiles, so that the weight is read once and stays near; tiles of rows as equal as can be. */
static int32_t NAME(product)(const product *p, int64_t rows, int64_t from, int64_t to) {
  int32_t special = 0;
  int64_t column = from;
  if (rows <= 3) {
    for (; column + 4 * LANES <= to; column += 4 * LANES) {
      special |= NAME(flat)(p, rows, column);
    }
  }
  const int64_t tiles = (rows + ROWS_MAX - 1) / ROWS_MAX;
  for (; column < to; column += 2 * LANES) {
    int64_t row = 0;
    for (int64_t tile = 1; tile <= tiles; tile++) {
      const int64_t end = rows * tile / tiles;
      special |= NAME(tall)(p, end - row, row, column);
      row = end;
    }
  }
  return special;
}
