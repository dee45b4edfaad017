/* Included by float_product.c once for every width of vectors, between the pragmas that allow it. Given are:
 *
 *   NAME(word)      the word with the instruction set's name behind it
 *   LANES           columns of a vector: 16 or 8
 *   ROWS_MAX        rows of the tallest tile whose sums fit the registers beside two vectors of the weight
 *   everywhere(x)   x in every lane
 *   fused(a, b, c)  a * b + c, rounded once, in every lane
 *
 * and left is NAME(product), which float_product.c describes. */

#define PANEL (2 * LANES)

typedef float NAME(floats) __attribute__((vector_size(LANES * 4)));
typedef int32_t NAME(ints) __attribute__((vector_size(LANES * 4)));
typedef float NAME(floats_anywhere) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* The first `valid` columns of a vector of the last panel: past them there is neither bias nor y. */
static __attribute__((noinline)) int32_t NAME(part)(const NAME(floats) *chain, const float *bias, float *y, int64_t valid,
                                                    int32_t first) {
  int32_t special = 0;
  for (int64_t j = 0; j < valid; j++) {
    float total = first ? (*chain)[j] : y[j] + (*chain)[j];
    y[j] = bias ? total + bias[j] : total;
    special |= (bits(y[j]) & EXPONENT) == EXPONENT;
  }
  return special;
}

/* A tile of `height` rows and `wide` vectors of columns, both constants where this is inlined, over one block of the sums, which begins
 * at k = start and has `length` steps. `ahead` is asked for, `lines` lines every few steps. */
static inline __attribute__((always_inline)) int32_t NAME(tile)(const product *p, const int height, const int wide, int64_t row,
                                                                int64_t column, int64_t start, int64_t length, const char *ahead,
                                                                int64_t lines) {
  const int64_t depth = p->depth;
  const int64_t stride = p->stride;
  const float *x = p->x + row * stride + start;
  const float *w = p->w + column / PANEL * (PANEL * depth) + start * PANEL;
  NAME(floats) sums[ROWS_MAX][4];
#pragma GCC unroll 4
  for (int v = 0; v < wide; v++) {
#pragma GCC unroll 8
    for (int i = 0; i < height; i++) {
      sums[i][v] = (NAME(floats)){0};
    }
  }
  for (int64_t from = 0; from < length; from += STEPS) {
    const int64_t to = from + STEPS < length ? from + STEPS : length;
    for (int64_t line = 0; line < lines; line++) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += LINE;
    }
    for (int64_t k = from; k < to; k++) {
      NAME(floats) weights[4];
#pragma GCC unroll 4
      for (int v = 0; v < wide; v++) {
        weights[v] = *(const NAME(floats_anywhere) *)(w + k * PANEL + v * LANES / PANEL * (PANEL * depth) + v * LANES % PANEL);
      }
#pragma GCC unroll 8
      for (int i = 0; i < height; i++) {
        const NAME(floats) factor = everywhere(x[i * stride + k]);
#pragma GCC unroll 4
        for (int v = 0; v < wide; v++) {
          sums[i][v] = fused(factor, weights[v], sums[i][v]);
        }
      }
    }
  }
  const float *bias = p->bias && start + length == depth ? p->bias : 0;
  NAME(ints) special = {0};
#pragma GCC unroll 4
  for (int v = 0; v < wide; v++) {
    const int64_t at = column + v * LANES;
    const int64_t valid = p->cols - at;
#pragma GCC unroll 8
    for (int i = 0; i < height; i++) {
      float *y = p->y + (row + i) * p->cols + at;
      if (valid >= LANES) {
        NAME(floats) total = sums[i][v];
        if (start > 0) {
          total = *(const NAME(floats_anywhere) *)y + total;
        }
        if (bias) {
          total += *(const NAME(floats_anywhere) *)(bias + at);
        }
        *(NAME(floats_anywhere) *)y = total;
        special |= ((NAME(ints))total & EXPONENT) == EXPONENT;
      } else {
        special[0] |= NAME(part)(&sums[i][v], bias ? bias + at : 0, y, valid, start == 0);
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
static __attribute__((noinline)) int32_t NAME(flat)(const product *p, int64_t height, int64_t column, int64_t start, int64_t length) {
  switch (height) {
  case 3:
    return NAME(tile)(p, 3, 4, 0, column, start, length, 0, 0);
  case 2:
    return NAME(tile)(p, 2, 4, 0, column, start, length, 0, 0);
  default:
    return NAME(tile)(p, 1, 4, 0, column, start, length, 0, 0);
  }
}

static __attribute__((noinline)) int32_t NAME(tall)(const product *p, int64_t height, int64_t row, int64_t column, int64_t start,
                                                    int64_t length, const char *ahead, int64_t lines) {
  switch (height) {
#if ROWS_MAX >= 8
  case 8:
    return NAME(tile)(p, 8, 2, row, column, start, length, ahead, lines);
  case 7:
    return NAME(tile)(p, 7, 2, row, column, start, length, ahead, lines);
#endif
  case 6:
    return NAME(tile)(p, 6, 2, row, column, start, length, ahead, lines);
  case 5:
    return NAME(tile)(p, 5, 2, row, column, start, length, ahead, lines);
  case 4:
    return NAME(tile)(p, 4, 2, row, column, start, length, ahead, lines);
  case 3:
    return NAME(tile)(p, 3, 2, row, column, start, length, ahead, lines);
  case 2:
    return NAME(tile)(p, 2, 2, row, column, start, length, ahead, lines);
  default:
    return NAME(tile)(p, 1, 2, row, column, start, length, ahead, lines);
  }
}

/* Column by column of tiles and block by block, so that the weight is read once and stays near; tiles of rows as equal as can be, each of
 * which asks for its share of the block that comes next. */
static int32_t NAME(product)(const product *p, int64_t rows, int64_t from, int64_t to, int64_t next) {
  int32_t special = 0;
  int64_t column = from;
  if (rows <= 3) {
    for (; column + 2 * PANEL <= to; column += 2 * PANEL) {
      for (int64_t start = 0; start < p->depth; start += p->block) {
        const int64_t length = p->depth - start < p->block ? p->depth - start : p->block;
        special |= NAME(flat)(p, rows, column, start, length);
      }
    }
  }
  const int64_t tiles = (rows + ROWS_MAX - 1) / ROWS_MAX;
  const int64_t lines = (STEPS * PANEL * 4 / LINE + tiles - 1) / tiles;
  for (; column < to; column += PANEL) {
    for (int64_t start = 0; start < p->depth; start += p->block) {
      const int64_t length = p->depth - start < p->block ? p->depth - start : p->block;
      /* The next block lies behind this one, that of the next panel too. */
      const int64_t behind = start + length < p->depth || column + PANEL < to;
      const float *ahead = behind       ? p->w + column / PANEL * (PANEL * p->depth) + (start + length) * PANEL
                           : next >= 0 ? p->w + next / PANEL * (PANEL * p->depth)
                                       : 0;
      int64_t row = 0;
      for (int64_t tile = 1; tile <= tiles; tile++) {
        const int64_t end = rows * tile / tiles;
        const char *share = (const char *)ahead + (length + STEPS - 1) / STEPS * lines * LINE * (tile - 1);
        special |= NAME(tall)(p, end - row, row, column, start, length, share, ahead ? lines : 0);
        row = end;
      }
    }
  }
  return special;
}

#undef PANEL
