package io.rigmesh.worker.ptx;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Tensor-core products of 8-bit integers, and the loads of their fragments.
///
/// A fragment's layout (PTX ISA, "Matrix Fragments"), with g = lane / 4 and t = lane % 4: register
/// r of A holds row g, or g + 8 for odd r, columns 4t.. (and 16 more from r = 2 on); register r of
/// B rows 4t.. (16 more for r = 1) of column g; register r of C row g (g + 8 from r = 2 on), column
/// 2t + (r & 1).
final class MatrixOps {
  /// An operation that all 32 threads of a warp run together.
  abstract static class WarpWide extends Op {
    WarpWide(Instruction source) {
      super(source, Kind.COLLECTIVE);
    }

    @Override
    final void run(Warp warp, int mask) {
      if (mask != -1) {
        throw warp.fault(
            this, Integer.numberOfTrailingZeros(mask), "the warp has fewer than 32 threads here");
      }
      run(warp);
    }

    abstract void run(Warp warp);
  }

  private MatrixOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("mma", MatrixOps::product);
    builders.put("ldmatrix", (i, rows) -> fragments(i, rows, true));
    builders.put("stmatrix", (i, rows) -> fragments(i, rows, false));
    builders.put("wgmma", MatrixOps::groupProduct);
  }

  /// The rows of a vector operand of `count` 32-bit registers.
  static int[] registers(Instruction i, Assembler rows, Operand operand, int count) {
    List<Operand> elements =
        operand instanceof Operand.Vector(List<Operand> many) ? many : List.of(operand);
    if (elements.size() != count) {
      throw i.refused("a fragment of " + count + " registers is expected");
    }
    return elements.stream().mapToInt(e -> rows.word(i, e, ScalarType.B32)).toArray();
  }

  private static Op product(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.oneOf("sync");
    words.oneOf("aligned");
    String shape = words.oneOf("m16n8k32", "m16n8k16", "m8n8k16");
    words.oneOf("row");
    words.oneOf("col");
    boolean sums = words.type() == ScalarType.S32;
    ScalarType first = words.type();
    ScalarType second = words.type();
    boolean sumsToo = words.type() == ScalarType.S32;
    words.end();
    if (!sums || !sumsToo || first.bytes() != 1 || second.bytes() != 1) {
      throw i.refused("only products of 8-bit integers are exact, and known here");
    }
    int m = shape.startsWith("m16") ? 16 : 8;
    int k = shape.endsWith("k32") ? 32 : 16;
    int[] d = registers(i, rows, i.operand(0), m / 4);
    int[] a = registers(i, rows, i.operand(1), m * k / 128);
    int[] b = registers(i, rows, i.operand(2), k / 16);
    int[] c = registers(i, rows, i.operand(3), m / 4);
    return new WarpWide(i) {
      @Override
      void run(Warp warp) {
        int[][] left = leftFragment(warp, a, m, k, first);
        int[][] right = rightFragment(warp, b, k, second);
        int[] results = new int[m / 4 * Warp.LANES];
        for (int row = 0; row < m; row++) {
          for (int column = 0; column < 8; column++) {
            int r = row / 8 * 2 + column % 2;
            int lane = row % 8 * 4 + column / 2;
            results[r * Warp.LANES + lane] =
                warp.words[c[r] + lane] + dot(left[row], right[column]);
          }
        }
        for (int r = 0; r < d.length; r++) {
          System.arraycopy(results, r * Warp.LANES, warp.words, d[r], Warp.LANES);
        }
      }
    };
  }

  private static int dot(int[] x, int[] y) {
    int sum = 0;
    for (int k = 0; k < x.length; k++) {
      sum += x[k] * y[k];
    }
    return sum;
  }

  /// The matrix A `(m, k)` that the threads' registers hold.
  static int[][] leftFragment(Warp warp, int[] a, int m, int k, ScalarType type) {
    int[][] matrix = new int[m][k];
    for (int lane = 0; lane < Warp.LANES; lane++) {
      for (int r = 0; r < a.length; r++) {
        int row = lane / 4 + (m == 16 ? 8 * (r & 1) : 0);
        int column = lane % 4 * 4 + 16 * (m == 16 ? r / 2 : r);
        int word = warp.words[a[r] + lane];
        for (int x = 0; x < 4; x++) {
          matrix[row][column + x] = IntegerOps.extend(word >> (8 * x), type);
        }
      }
    }
    return matrix;
  }

  /// The matrix B, transposed: 8 columns of length k.
  private static int[][] rightFragment(Warp warp, int[] b, int k, ScalarType type) {
    int[][] matrix = new int[8][k];
    for (int lane = 0; lane < Warp.LANES; lane++) {
      for (int r = 0; r < b.length; r++) {
        int word = warp.words[b[r] + lane];
        for (int x = 0; x < 4; x++) {
          matrix[lane / 4][lane % 4 * 4 + 16 * r + x] = IntegerOps.extend(word >> (8 * x), type);
        }
      }
    }
    return matrix;
  }

  /// `ldmatrix` and `stmatrix`: eight rows of 16 bytes for each matrix, whose addresses eight lanes
  /// bring.
  private static Op fragments(Instruction i, Assembler rows, boolean loads) {
    Modifiers words = new Modifiers(i);
    words.oneOf("sync");
    words.oneOf("aligned");
    words.oneOf("m8n8");
    int count = Integer.parseInt(words.oneOf("x1", "x2", "x4").substring(1));
    boolean transposed = words.take("trans");
    String space = MemoryOps.space(words);
    words.oneOf("b16");
    words.end();
    int[] d = registers(i, rows, i.operand(loads ? 0 : 1), count);
    MemoryOps.AddressRow address = MemoryOps.address(i, rows, i.operand(loads ? 1 : 0), space);
    rows.accesses(16);
    Spaces.Space memory = Spaces.named(space);
    return new WarpWide(i) {
      @Override
      void run(Warp warp) {
        long[] where = new long[count * 8];
        for (int row = 0; row < where.length; row++) {
          where[row] = address.of(warp, row);
        }
        for (int row = 0; row < where.length; row++) {
          byte[] bytes =
              memory.open(this, warp, row, where[row], 16, loads ? Access.READ : Access.WRITE);
          int at = warp.opened();
          for (int half = 0; half < 8; half++) {
            // Element (row, half) of the matrix is in the low or high part of one lane's register.
            int major = transposed ? half : row % 8;
            int minor = transposed ? row % 8 : half;
            int place = d[row / 8] + major * 4 + minor / 2;
            int shift = minor % 2 * 16;
            if (loads) {
              int value = Bytes.getWord(bytes, at + 2 * half, ScalarType.B16);
              warp.words[place] = (warp.words[place] & ~(0xffff << shift)) | value << shift;
            } else {
              Bytes.putWord(bytes, at + 2 * half, ScalarType.B16, warp.words[place] >>> shift);
            }
          }
        }
      }
    };
  }

  private static Op groupProduct(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    String what = words.oneOf("fence", "commit_group", "wait_group", "mma_async");
    words.oneOf("sync");
    words.oneOf("aligned");
    if (what.equals("mma_async")) {
      return MatrixQueue.product(i, rows, words);
    }
    words.end();
    int keep =
        what.equals("wait_group")
                && i.operand(0) instanceof Operand.Immediate(long bits, ScalarType ignored)
            ? (int) bits
            : 0;
    return new WarpWide(i) {
      @Override
      void run(Warp warp) {
        switch (what) {
          case "fence" -> warp.matrices().fence();
          case "commit_group" -> warp.matrices().commit();
          default -> warp.matrices().await(keep);
        }
      }
    };
  }

  /// The number of a shape's part, for example 64 for `n` in `m64n64k32`.
  static Optional<Integer> extent(String shape, char part) {
    int from = shape.indexOf(part) + 1;
    int to = from;
    while (to < shape.length() && Character.isDigit(shape.charAt(to))) {
      to++;
    }
    return from == 0 || from == to
        ? Optional.empty()
        : Optional.of(Integer.parseInt(shape.substring(from, to)));
  }
}
