package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.INTS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The innermost loops of the integer product: a few rows times one panel of columns, a short lane
/// for each column.
///
/// Two products of at most 127 * 127 fit a signed short, so they are added as shorts to a pair s. A
/// sum of pairs does not fit, and widening each would cost more than the products; instead two
/// short lanes are kept, `low` = the sum of s modulo 2^16 and `high` = the sum of s >> 8. Every s
/// lies between 256 * (s >> 8) and that plus 255, so over at most 256 pairs the sum lies between
/// 256 * high and that plus 65,280, and its remainder modulo 2^16 tells which it is: [#finish].
/// `high` stays within 256 * 127.
///
/// A panel is [Tiles#PANEL] columns wide, k after k: byte (k, j) at `wp + k * PANEL + j`. Rows of x
/// are ints that hold an element in both halves, so that one broadcast reaches every short.
///
/// The loops are written out without methods of their own in between: beyond some size C2 inlines
/// only the Vector API's, and a vector that passes through a call is an object.
final class ByteTiles {
  /// The largest depth of a call.
  static final int DEPTH = 512;

  /// Rows of the tallest tile that the machine's registers hold.
  static final int ROWS = WIDTH >= 16 ? 8 : 4;

  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, Lanes.FLOATS.vectorShape());
  private static final VectorSpecies<Byte> BYTES = Lanes.HALF_BYTES;

  private ByteTiles() {}

  /// Eight rows of x, `ldx` apart, times a panel over `depth` elements, an even number; row i of
  /// the lanes is stored at `i * PANEL`.
  static void rows8(
      byte[] w, int wp, int[] x, int xp, int ldx, int depth, short[] low, short[] high) {
    ShortVector l0 = ShortVector.zero(SHORTS);
    ShortVector h0 = ShortVector.zero(SHORTS);
    ShortVector l1 = ShortVector.zero(SHORTS);
    ShortVector h1 = ShortVector.zero(SHORTS);
    ShortVector l2 = ShortVector.zero(SHORTS);
    ShortVector h2 = ShortVector.zero(SHORTS);
    ShortVector l3 = ShortVector.zero(SHORTS);
    ShortVector h3 = ShortVector.zero(SHORTS);
    ShortVector l4 = ShortVector.zero(SHORTS);
    ShortVector h4 = ShortVector.zero(SHORTS);
    ShortVector l5 = ShortVector.zero(SHORTS);
    ShortVector h5 = ShortVector.zero(SHORTS);
    ShortVector l6 = ShortVector.zero(SHORTS);
    ShortVector h6 = ShortVector.zero(SHORTS);
    ShortVector l7 = ShortVector.zero(SHORTS);
    ShortVector h7 = ShortVector.zero(SHORTS);
    int x1 = xp + ldx;
    int x2 = xp + 2 * ldx;
    int x3 = xp + 3 * ldx;
    int x4 = xp + 4 * ldx;
    int x5 = xp + 5 * ldx;
    int x6 = xp + 6 * ldx;
    int x7 = xp + 7 * ldx;
    for (int k = 0; k < depth; k += 2) {
      ShortVector w0 =
          ByteVector.fromArray(BYTES, w, wp + k * PANEL)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts();
      ShortVector w1 =
          ByteVector.fromArray(BYTES, w, wp + k * PANEL + PANEL)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts();
      ShortVector s0 =
          w0.mul(IntVector.broadcast(INTS, x[xp + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[xp + k + 1]).reinterpretAsShorts()));
      l0 = l0.add(s0);
      h0 = h0.add(s0.lanewise(VectorOperators.ASHR, 8));
      ShortVector s1 =
          w0.mul(IntVector.broadcast(INTS, x[x1 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x1 + k + 1]).reinterpretAsShorts()));
      l1 = l1.add(s1);
      h1 = h1.add(s1.lanewise(VectorOperators.ASHR, 8));
      ShortVector s2 =
          w0.mul(IntVector.broadcast(INTS, x[x2 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x2 + k + 1]).reinterpretAsShorts()));
      l2 = l2.add(s2);
      h2 = h2.add(s2.lanewise(VectorOperators.ASHR, 8));
      ShortVector s3 =
          w0.mul(IntVector.broadcast(INTS, x[x3 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x3 + k + 1]).reinterpretAsShorts()));
      l3 = l3.add(s3);
      h3 = h3.add(s3.lanewise(VectorOperators.ASHR, 8));
      ShortVector s4 =
          w0.mul(IntVector.broadcast(INTS, x[x4 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x4 + k + 1]).reinterpretAsShorts()));
      l4 = l4.add(s4);
      h4 = h4.add(s4.lanewise(VectorOperators.ASHR, 8));
      ShortVector s5 =
          w0.mul(IntVector.broadcast(INTS, x[x5 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x5 + k + 1]).reinterpretAsShorts()));
      l5 = l5.add(s5);
      h5 = h5.add(s5.lanewise(VectorOperators.ASHR, 8));
      ShortVector s6 =
          w0.mul(IntVector.broadcast(INTS, x[x6 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x6 + k + 1]).reinterpretAsShorts()));
      l6 = l6.add(s6);
      h6 = h6.add(s6.lanewise(VectorOperators.ASHR, 8));
      ShortVector s7 =
          w0.mul(IntVector.broadcast(INTS, x[x7 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x7 + k + 1]).reinterpretAsShorts()));
      l7 = l7.add(s7);
      h7 = h7.add(s7.lanewise(VectorOperators.ASHR, 8));
    }
    l0.intoArray(low, 0);
    h0.intoArray(high, 0);
    l1.intoArray(low, PANEL);
    h1.intoArray(high, PANEL);
    l2.intoArray(low, 2 * PANEL);
    h2.intoArray(high, 2 * PANEL);
    l3.intoArray(low, 3 * PANEL);
    h3.intoArray(high, 3 * PANEL);
    l4.intoArray(low, 4 * PANEL);
    h4.intoArray(high, 4 * PANEL);
    l5.intoArray(low, 5 * PANEL);
    h5.intoArray(high, 5 * PANEL);
    l6.intoArray(low, 6 * PANEL);
    h6.intoArray(high, 6 * PANEL);
    l7.intoArray(low, 7 * PANEL);
    h7.intoArray(high, 7 * PANEL);
  }

  /// As [#rows8] for 4 rows.
  static void rows4(
      byte[] w, int wp, int[] x, int xp, int ldx, int depth, short[] low, short[] high) {
    ShortVector l0 = ShortVector.zero(SHORTS);
    ShortVector h0 = ShortVector.zero(SHORTS);
    ShortVector l1 = ShortVector.zero(SHORTS);
    ShortVector h1 = ShortVector.zero(SHORTS);
    ShortVector l2 = ShortVector.zero(SHORTS);
    ShortVector h2 = ShortVector.zero(SHORTS);
    ShortVector l3 = ShortVector.zero(SHORTS);
    ShortVector h3 = ShortVector.zero(SHORTS);
    int x1 = xp + ldx;
    int x2 = xp + 2 * ldx;
    int x3 = xp + 3 * ldx;
    for (int k = 0; k < depth; k += 2) {
      ShortVector w0 =
          ByteVector.fromArray(BYTES, w, wp + k * PANEL)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts();
      ShortVector w1 =
          ByteVector.fromArray(BYTES, w, wp + k * PANEL + PANEL)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts();
      ShortVector s0 =
          w0.mul(IntVector.broadcast(INTS, x[xp + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[xp + k + 1]).reinterpretAsShorts()));
      l0 = l0.add(s0);
      h0 = h0.add(s0.lanewise(VectorOperators.ASHR, 8));
      ShortVector s1 =
          w0.mul(IntVector.broadcast(INTS, x[x1 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x1 + k + 1]).reinterpretAsShorts()));
      l1 = l1.add(s1);
      h1 = h1.add(s1.lanewise(VectorOperators.ASHR, 8));
      ShortVector s2 =
          w0.mul(IntVector.broadcast(INTS, x[x2 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x2 + k + 1]).reinterpretAsShorts()));
      l2 = l2.add(s2);
      h2 = h2.add(s2.lanewise(VectorOperators.ASHR, 8));
      ShortVector s3 =
          w0.mul(IntVector.broadcast(INTS, x[x3 + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[x3 + k + 1]).reinterpretAsShorts()));
      l3 = l3.add(s3);
      h3 = h3.add(s3.lanewise(VectorOperators.ASHR, 8));
    }
    l0.intoArray(low, 0);
    h0.intoArray(high, 0);
    l1.intoArray(low, PANEL);
    h1.intoArray(high, PANEL);
    l2.intoArray(low, 2 * PANEL);
    h2.intoArray(high, 2 * PANEL);
    l3.intoArray(low, 3 * PANEL);
    h3.intoArray(high, 3 * PANEL);
  }

  /// As [#rows8] for one row.
  static void rows1(byte[] w, int wp, int[] x, int xp, int depth, short[] low, short[] high) {
    ShortVector l0 = ShortVector.zero(SHORTS);
    ShortVector h0 = ShortVector.zero(SHORTS);
    for (int k = 0; k < depth; k += 2) {
      ShortVector w0 =
          ByteVector.fromArray(BYTES, w, wp + k * PANEL)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts();
      ShortVector w1 =
          ByteVector.fromArray(BYTES, w, wp + k * PANEL + PANEL)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts();
      ShortVector s0 =
          w0.mul(IntVector.broadcast(INTS, x[xp + k]).reinterpretAsShorts())
              .add(w1.mul(IntVector.broadcast(INTS, x[xp + k + 1]).reinterpretAsShorts()));
      l0 = l0.add(s0);
      h0 = h0.add(s0.lanewise(VectorOperators.ASHR, 8));
    }
    l0.intoArray(low, 0);
    h0.intoArray(high, 0);
  }

  /// One row and four panels, `stride` apart: their streams from memory and their chains run side
  /// by side. Panel i of the lanes is stored at `i * PANEL`.
  static void row1Panels4(
      byte[] w, int wp, int stride, int[] x, int xp, int depth, short[] low, short[] high) {
    ShortVector l0 = ShortVector.zero(SHORTS);
    ShortVector h0 = ShortVector.zero(SHORTS);
    ShortVector l1 = ShortVector.zero(SHORTS);
    ShortVector h1 = ShortVector.zero(SHORTS);
    ShortVector l2 = ShortVector.zero(SHORTS);
    ShortVector h2 = ShortVector.zero(SHORTS);
    ShortVector l3 = ShortVector.zero(SHORTS);
    ShortVector h3 = ShortVector.zero(SHORTS);
    int p1 = wp + stride;
    int p2 = p1 + stride;
    int p3 = p2 + stride;
    for (int k = 0; k < depth; k += 2) {
      ShortVector x0 = IntVector.broadcast(INTS, x[xp + k]).reinterpretAsShorts();
      ShortVector x1 = IntVector.broadcast(INTS, x[xp + k + 1]).reinterpretAsShorts();
      int at = k * PANEL;
      ShortVector s0 =
          ByteVector.fromArray(BYTES, w, wp + at)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts()
              .mul(x0)
              .add(
                  ByteVector.fromArray(BYTES, w, wp + at + PANEL)
                      .convertShape(VectorOperators.B2S, SHORTS, 0)
                      .reinterpretAsShorts()
                      .mul(x1));
      l0 = l0.add(s0);
      h0 = h0.add(s0.lanewise(VectorOperators.ASHR, 8));
      ShortVector s1 =
          ByteVector.fromArray(BYTES, w, p1 + at)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts()
              .mul(x0)
              .add(
                  ByteVector.fromArray(BYTES, w, p1 + at + PANEL)
                      .convertShape(VectorOperators.B2S, SHORTS, 0)
                      .reinterpretAsShorts()
                      .mul(x1));
      l1 = l1.add(s1);
      h1 = h1.add(s1.lanewise(VectorOperators.ASHR, 8));
      ShortVector s2 =
          ByteVector.fromArray(BYTES, w, p2 + at)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts()
              .mul(x0)
              .add(
                  ByteVector.fromArray(BYTES, w, p2 + at + PANEL)
                      .convertShape(VectorOperators.B2S, SHORTS, 0)
                      .reinterpretAsShorts()
                      .mul(x1));
      l2 = l2.add(s2);
      h2 = h2.add(s2.lanewise(VectorOperators.ASHR, 8));
      ShortVector s3 =
          ByteVector.fromArray(BYTES, w, p3 + at)
              .convertShape(VectorOperators.B2S, SHORTS, 0)
              .reinterpretAsShorts()
              .mul(x0)
              .add(
                  ByteVector.fromArray(BYTES, w, p3 + at + PANEL)
                      .convertShape(VectorOperators.B2S, SHORTS, 0)
                      .reinterpretAsShorts()
                      .mul(x1));
      l3 = l3.add(s3);
      h3 = h3.add(s3.lanewise(VectorOperators.ASHR, 8));
    }
    l0.intoArray(low, 0);
    h0.intoArray(high, 0);
    l1.intoArray(low, PANEL);
    h1.intoArray(high, PANEL);
    l2.intoArray(low, 2 * PANEL);
    h2.intoArray(high, 2 * PANEL);
    l3.intoArray(low, 3 * PANEL);
    h3.intoArray(high, 3 * PANEL);
  }

  /// Makes int32 sums of `count` panels or rows of lanes and stores them `stride` apart from `to`
  /// on, or adds them to what is there.
  static void finish(
      short[] low, short[] high, int count, int[] sums, int to, int stride, boolean first) {
    for (int i = 0; i < count; i++) {
      int at = i * PANEL;
      int target = to + i * stride;
      ShortVector h = ShortVector.fromArray(SHORTS, high, at);
      ShortVector d =
          ShortVector.fromArray(SHORTS, low, at).sub(h.lanewise(VectorOperators.LSHL, 8));
      IntVector s0 =
          h.convertShape(VectorOperators.S2I, INTS, 0)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, 8)
              .add(d.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0).reinterpretAsInts());
      IntVector s1 =
          h.convertShape(VectorOperators.S2I, INTS, 1)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, 8)
              .add(d.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 1).reinterpretAsInts());
      if (!first) {
        s0 = s0.add(IntVector.fromArray(INTS, sums, target));
        s1 = s1.add(IntVector.fromArray(INTS, sums, target + WIDTH));
      }
      s0.intoArray(sums, target);
      s1.intoArray(sums, target + WIDTH);
    }
  }
}
