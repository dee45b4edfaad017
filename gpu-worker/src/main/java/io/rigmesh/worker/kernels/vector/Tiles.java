package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/// The innermost loops of the matrix product: a few rows times one panel of columns over one block
/// of the sum.
///
/// Every lane of every accumulator is one output element's own fma chain from +0 in ascending k;
/// lanes never mix. At the end of the block the chain's sum is stored (first block) or added to the
/// sum of the blocks before. A panel is [#PANEL] columns wide, k after k: element (k, j) at `bp + k
/// * PANEL + j`. The accumulators stay in registers: 8 rows need 16 of the 32 of AVX-512; with 16
///   registers the 4-row tile is used.
final class Tiles {
  /// Columns of a panel: two vectors.
  static final int PANEL = 2 * WIDTH;

  /// Rows of the tallest tile that the machine's registers hold.
  static final int ROWS = WIDTH >= 16 ? 8 : 4;

  private Tiles() {}

  /// Rows of A are `lda` apart, so element (i, k) lies at `ap + i * lda + k`.
  static void rows8(
      float[] a,
      int ap,
      int lda,
      float[] b,
      int bp,
      int depth,
      float[] c,
      int cp,
      int ldc,
      boolean first) {
    FloatVector s00 = FloatVector.zero(FLOATS);
    FloatVector s01 = FloatVector.zero(FLOATS);
    FloatVector s10 = FloatVector.zero(FLOATS);
    FloatVector s11 = FloatVector.zero(FLOATS);
    FloatVector s20 = FloatVector.zero(FLOATS);
    FloatVector s21 = FloatVector.zero(FLOATS);
    FloatVector s30 = FloatVector.zero(FLOATS);
    FloatVector s31 = FloatVector.zero(FLOATS);
    FloatVector s40 = FloatVector.zero(FLOATS);
    FloatVector s41 = FloatVector.zero(FLOATS);
    FloatVector s50 = FloatVector.zero(FLOATS);
    FloatVector s51 = FloatVector.zero(FLOATS);
    FloatVector s60 = FloatVector.zero(FLOATS);
    FloatVector s61 = FloatVector.zero(FLOATS);
    FloatVector s70 = FloatVector.zero(FLOATS);
    FloatVector s71 = FloatVector.zero(FLOATS);
    int a1 = ap + lda;
    int a2 = a1 + lda;
    int a3 = a2 + lda;
    int a4 = a3 + lda;
    int a5 = a4 + lda;
    int a6 = a5 + lda;
    int a7 = a6 + lda;
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL);
      FloatVector b1 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL + WIDTH);
      FloatVector x0 = FloatVector.broadcast(FLOATS, a[ap + k]);
      s00 = x0.fma(b0, s00);
      s01 = x0.fma(b1, s01);
      FloatVector x1 = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s10 = x1.fma(b0, s10);
      s11 = x1.fma(b1, s11);
      FloatVector x2 = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s20 = x2.fma(b0, s20);
      s21 = x2.fma(b1, s21);
      FloatVector x3 = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s30 = x3.fma(b0, s30);
      s31 = x3.fma(b1, s31);
      FloatVector x4 = FloatVector.broadcast(FLOATS, a[a4 + k]);
      s40 = x4.fma(b0, s40);
      s41 = x4.fma(b1, s41);
      FloatVector x5 = FloatVector.broadcast(FLOATS, a[a5 + k]);
      s50 = x5.fma(b0, s50);
      s51 = x5.fma(b1, s51);
      FloatVector x6 = FloatVector.broadcast(FLOATS, a[a6 + k]);
      s60 = x6.fma(b0, s60);
      s61 = x6.fma(b1, s61);
      FloatVector x7 = FloatVector.broadcast(FLOATS, a[a7 + k]);
      s70 = x7.fma(b0, s70);
      s71 = x7.fma(b1, s71);
    }
    if (!first) {
      s00 = FloatVector.fromArray(FLOATS, c, cp).add(s00);
      s01 = FloatVector.fromArray(FLOATS, c, cp + WIDTH).add(s01);
      s10 = FloatVector.fromArray(FLOATS, c, cp + ldc).add(s10);
      s11 = FloatVector.fromArray(FLOATS, c, cp + ldc + WIDTH).add(s11);
      s20 = FloatVector.fromArray(FLOATS, c, cp + 2 * ldc).add(s20);
      s21 = FloatVector.fromArray(FLOATS, c, cp + 2 * ldc + WIDTH).add(s21);
      s30 = FloatVector.fromArray(FLOATS, c, cp + 3 * ldc).add(s30);
      s31 = FloatVector.fromArray(FLOATS, c, cp + 3 * ldc + WIDTH).add(s31);
      s40 = FloatVector.fromArray(FLOATS, c, cp + 4 * ldc).add(s40);
      s41 = FloatVector.fromArray(FLOATS, c, cp + 4 * ldc + WIDTH).add(s41);
      s50 = FloatVector.fromArray(FLOATS, c, cp + 5 * ldc).add(s50);
      s51 = FloatVector.fromArray(FLOATS, c, cp + 5 * ldc + WIDTH).add(s51);
      s60 = FloatVector.fromArray(FLOATS, c, cp + 6 * ldc).add(s60);
      s61 = FloatVector.fromArray(FLOATS, c, cp + 6 * ldc + WIDTH).add(s61);
      s70 = FloatVector.fromArray(FLOATS, c, cp + 7 * ldc).add(s70);
      s71 = FloatVector.fromArray(FLOATS, c, cp + 7 * ldc + WIDTH).add(s71);
    }
    s00.intoArray(c, cp);
    s01.intoArray(c, cp + WIDTH);
    s10.intoArray(c, cp + ldc);
    s11.intoArray(c, cp + ldc + WIDTH);
    s20.intoArray(c, cp + 2 * ldc);
    s21.intoArray(c, cp + 2 * ldc + WIDTH);
    s30.intoArray(c, cp + 3 * ldc);
    s31.intoArray(c, cp + 3 * ldc + WIDTH);
    s40.intoArray(c, cp + 4 * ldc);
    s41.intoArray(c, cp + 4 * ldc + WIDTH);
    s50.intoArray(c, cp + 5 * ldc);
    s51.intoArray(c, cp + 5 * ldc + WIDTH);
    s60.intoArray(c, cp + 6 * ldc);
    s61.intoArray(c, cp + 6 * ldc + WIDTH);
    s70.intoArray(c, cp + 7 * ldc);
    s71.intoArray(c, cp + 7 * ldc + WIDTH);
  }

  /// As [#rows8] for 4 rows.
  static void rows4(
      float[] a,
      int ap,
      int lda,
      float[] b,
      int bp,
      int depth,
      float[] c,
      int cp,
      int ldc,
      boolean first) {
    FloatVector s00 = FloatVector.zero(FLOATS);
    FloatVector s01 = FloatVector.zero(FLOATS);
    FloatVector s10 = FloatVector.zero(FLOATS);
    FloatVector s11 = FloatVector.zero(FLOATS);
    FloatVector s20 = FloatVector.zero(FLOATS);
    FloatVector s21 = FloatVector.zero(FLOATS);
    FloatVector s30 = FloatVector.zero(FLOATS);
    FloatVector s31 = FloatVector.zero(FLOATS);
    int a1 = ap + lda;
    int a2 = a1 + lda;
    int a3 = a2 + lda;
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL);
      FloatVector b1 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL + WIDTH);
      FloatVector x0 = FloatVector.broadcast(FLOATS, a[ap + k]);
      s00 = x0.fma(b0, s00);
      s01 = x0.fma(b1, s01);
      FloatVector x1 = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s10 = x1.fma(b0, s10);
      s11 = x1.fma(b1, s11);
      FloatVector x2 = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s20 = x2.fma(b0, s20);
      s21 = x2.fma(b1, s21);
      FloatVector x3 = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s30 = x3.fma(b0, s30);
      s31 = x3.fma(b1, s31);
    }
    if (!first) {
      s00 = FloatVector.fromArray(FLOATS, c, cp).add(s00);
      s01 = FloatVector.fromArray(FLOATS, c, cp + WIDTH).add(s01);
      s10 = FloatVector.fromArray(FLOATS, c, cp + ldc).add(s10);
      s11 = FloatVector.fromArray(FLOATS, c, cp + ldc + WIDTH).add(s11);
      s20 = FloatVector.fromArray(FLOATS, c, cp + 2 * ldc).add(s20);
      s21 = FloatVector.fromArray(FLOATS, c, cp + 2 * ldc + WIDTH).add(s21);
      s30 = FloatVector.fromArray(FLOATS, c, cp + 3 * ldc).add(s30);
      s31 = FloatVector.fromArray(FLOATS, c, cp + 3 * ldc + WIDTH).add(s31);
    }
    s00.intoArray(c, cp);
    s01.intoArray(c, cp + WIDTH);
    s10.intoArray(c, cp + ldc);
    s11.intoArray(c, cp + ldc + WIDTH);
    s20.intoArray(c, cp + 2 * ldc);
    s21.intoArray(c, cp + 2 * ldc + WIDTH);
    s30.intoArray(c, cp + 3 * ldc);
    s31.intoArray(c, cp + 3 * ldc + WIDTH);
  }

  /// One row and one panel.
  static void row1(
      float[] a, int ap, float[] b, int bp, int depth, float[] c, int cp, boolean first) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    for (int k = 0; k < depth; k++) {
      FloatVector x = FloatVector.broadcast(FLOATS, a[ap + k]);
      s0 = x.fma(FloatVector.fromArray(FLOATS, b, bp + k * PANEL), s0);
      s1 = x.fma(FloatVector.fromArray(FLOATS, b, bp + k * PANEL + WIDTH), s1);
    }
    if (!first) {
      s0 = FloatVector.fromArray(FLOATS, c, cp).add(s0);
      s1 = FloatVector.fromArray(FLOATS, c, cp + WIDTH).add(s1);
    }
    s0.intoArray(c, cp);
    s1.intoArray(c, cp + WIDTH);
  }

  /// One row and four panels, which lie `stride` apart: enough chains side by side to hide an fma's
  /// latency.
  static void row1Panels4(
      float[] a,
      int ap,
      float[] b,
      int bp,
      int stride,
      int depth,
      float[] c,
      int cp,
      boolean first) {
    FloatVector s00 = FloatVector.zero(FLOATS);
    FloatVector s01 = FloatVector.zero(FLOATS);
    FloatVector s10 = FloatVector.zero(FLOATS);
    FloatVector s11 = FloatVector.zero(FLOATS);
    FloatVector s20 = FloatVector.zero(FLOATS);
    FloatVector s21 = FloatVector.zero(FLOATS);
    FloatVector s30 = FloatVector.zero(FLOATS);
    FloatVector s31 = FloatVector.zero(FLOATS);
    int b1 = bp + stride;
    int b2 = b1 + stride;
    int b3 = b2 + stride;
    for (int k = 0; k < depth; k++) {
      FloatVector x = FloatVector.broadcast(FLOATS, a[ap + k]);
      int at = k * PANEL;
      s00 = x.fma(FloatVector.fromArray(FLOATS, b, bp + at), s00);
      s01 = x.fma(FloatVector.fromArray(FLOATS, b, bp + at + WIDTH), s01);
      s10 = x.fma(FloatVector.fromArray(FLOATS, b, b1 + at), s10);
      s11 = x.fma(FloatVector.fromArray(FLOATS, b, b1 + at + WIDTH), s11);
      s20 = x.fma(FloatVector.fromArray(FLOATS, b, b2 + at), s20);
      s21 = x.fma(FloatVector.fromArray(FLOATS, b, b2 + at + WIDTH), s21);
      s30 = x.fma(FloatVector.fromArray(FLOATS, b, b3 + at), s30);
      s31 = x.fma(FloatVector.fromArray(FLOATS, b, b3 + at + WIDTH), s31);
    }
    if (!first) {
      s00 = FloatVector.fromArray(FLOATS, c, cp).add(s00);
      s01 = FloatVector.fromArray(FLOATS, c, cp + WIDTH).add(s01);
      s10 = FloatVector.fromArray(FLOATS, c, cp + PANEL).add(s10);
      s11 = FloatVector.fromArray(FLOATS, c, cp + PANEL + WIDTH).add(s11);
      s20 = FloatVector.fromArray(FLOATS, c, cp + 2 * PANEL).add(s20);
      s21 = FloatVector.fromArray(FLOATS, c, cp + 2 * PANEL + WIDTH).add(s21);
      s30 = FloatVector.fromArray(FLOATS, c, cp + 3 * PANEL).add(s30);
      s31 = FloatVector.fromArray(FLOATS, c, cp + 3 * PANEL + WIDTH).add(s31);
    }
    s00.intoArray(c, cp);
    s01.intoArray(c, cp + WIDTH);
    s10.intoArray(c, cp + PANEL);
    s11.intoArray(c, cp + PANEL + WIDTH);
    s20.intoArray(c, cp + 2 * PANEL);
    s21.intoArray(c, cp + 2 * PANEL + WIDTH);
    s30.intoArray(c, cp + 3 * PANEL);
    s31.intoArray(c, cp + 3 * PANEL + WIDTH);
  }
}
