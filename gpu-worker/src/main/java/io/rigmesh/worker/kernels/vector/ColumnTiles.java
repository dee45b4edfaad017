package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import jdk.incubator.vector.FloatVector;

/// The innermost loops of [Tiles] for a left-hand side whose rows lie side by side in memory, as
/// the transposed operands of gradients do.
final class ColumnTiles {
  private ColumnTiles() {}

  /// Eight rows of A that lie side by side: element (i, k) at `ap + k * step + i`.
  static void columns8(
      float[] a,
      int ap,
      int step,
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
    for (int k = 0; k < depth; k++) {
      int at = ap + k * step;
      FloatVector b0 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL);
      FloatVector b1 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL + WIDTH);
      FloatVector x0 = FloatVector.broadcast(FLOATS, a[at]);
      s00 = x0.fma(b0, s00);
      s01 = x0.fma(b1, s01);
      FloatVector x1 = FloatVector.broadcast(FLOATS, a[at + 1]);
      s10 = x1.fma(b0, s10);
      s11 = x1.fma(b1, s11);
      FloatVector x2 = FloatVector.broadcast(FLOATS, a[at + 2]);
      s20 = x2.fma(b0, s20);
      s21 = x2.fma(b1, s21);
      FloatVector x3 = FloatVector.broadcast(FLOATS, a[at + 3]);
      s30 = x3.fma(b0, s30);
      s31 = x3.fma(b1, s31);
      FloatVector x4 = FloatVector.broadcast(FLOATS, a[at + 4]);
      s40 = x4.fma(b0, s40);
      s41 = x4.fma(b1, s41);
      FloatVector x5 = FloatVector.broadcast(FLOATS, a[at + 5]);
      s50 = x5.fma(b0, s50);
      s51 = x5.fma(b1, s51);
      FloatVector x6 = FloatVector.broadcast(FLOATS, a[at + 6]);
      s60 = x6.fma(b0, s60);
      s61 = x6.fma(b1, s61);
      FloatVector x7 = FloatVector.broadcast(FLOATS, a[at + 7]);
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

  /// Four rows of A that lie side by side: element (i, k) at `ap + k * step + i`.
  static void columns4(
      float[] a,
      int ap,
      int step,
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
    for (int k = 0; k < depth; k++) {
      int at = ap + k * step;
      FloatVector b0 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL);
      FloatVector b1 = FloatVector.fromArray(FLOATS, b, bp + k * PANEL + WIDTH);
      FloatVector x0 = FloatVector.broadcast(FLOATS, a[at]);
      s00 = x0.fma(b0, s00);
      s01 = x0.fma(b1, s01);
      FloatVector x1 = FloatVector.broadcast(FLOATS, a[at + 1]);
      s10 = x1.fma(b0, s10);
      s11 = x1.fma(b1, s11);
      FloatVector x2 = FloatVector.broadcast(FLOATS, a[at + 2]);
      s20 = x2.fma(b0, s20);
      s21 = x2.fma(b1, s21);
      FloatVector x3 = FloatVector.broadcast(FLOATS, a[at + 3]);
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
}
