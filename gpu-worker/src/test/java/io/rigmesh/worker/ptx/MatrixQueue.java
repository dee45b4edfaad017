package io.rigmesh.worker.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// The asynchronous matrix products (`wgmma`) of one warp.
///
/// A product runs as late as it may, when its group is waited for, so that a kernel that reads a
/// sum or overwrites an operand too early gets wrong bits here.
final class MatrixQueue {
  private final Deque<List<Runnable>> committed = new ArrayDeque<>();
  private List<Runnable> open = new ArrayList<>();
  private boolean fenced;

  void fence() {
    fenced = true;
  }

  void commit() {
    committed.add(open);
    open = new ArrayList<>();
  }

  /// Runs all groups but the `keep` latest.
  void await(int keep) {
    while (committed.size() > keep) {
      committed.remove().forEach(Runnable::run);
    }
  }

  /// `wgmma.mma_async.sync.aligned.m64nNk32.s32.s8.s8 d, a, b, scale`: each warp of the four makes
  /// its 16 rows of the product of A `(64, 32)` and B `(32, N)`.
  static Op product(Instruction i, Assembler rows, Modifiers words) {
    String shape =
        i.opcode().stream()
            .filter(word -> word.startsWith("m64n"))
            .findFirst()
            .orElseThrow(() -> i.refused("a shape of 64 rows is expected"));
    words.take(shape);
    int n = MatrixOps.extent(shape, 'n').orElse(0);
    boolean sums = words.type() == ScalarType.S32;
    ScalarType first = words.type();
    ScalarType second = words.type();
    words.end();
    if (!shape.endsWith("k32")
        || !sums
        || first.bytes() != 1
        || second.bytes() != 1
        || n % 8 != 0) {
      throw i.refused("only products of 8-bit integers are exact, and known here");
    }
    int[] d = MatrixOps.registers(i, rows, i.operand(0), n / 2);
    boolean registers = i.operand(1) instanceof Operand.Vector;
    int[] a =
        registers
            ? MatrixOps.registers(i, rows, i.operand(1), 4)
            : new int[] {rows.wide(i, i.operand(1), ScalarType.B64)};
    int b = rows.wide(i, i.operand(2), ScalarType.B64);
    int scale = i.operand(3) instanceof Operand.Immediate ? -1 : rows.predicate(i, i.operand(3));
    boolean adds =
        i.operand(3) instanceof Operand.Immediate(long bits, ScalarType ignored) && bits != 0;
    return new MatrixOps.WarpWide(i) {
      @Override
      void run(Warp warp) {
        if (!warp.matrices().fenced) {
          throw warp.fault(this, 0, "no wgmma.fence came before");
        }
        long left = registers ? 0 : warp.wides[a[0]];
        long right = warp.wides[b];
        boolean accumulate = scale < 0 ? adds : (warp.predicates[scale] & 1) != 0;
        Op self = this;
        warp.matrices()
            .open
            .add(() -> {
              int[][] x =
                  registers
                      ? MatrixOps.leftFragment(warp, a, 16, 32, first)
                      : read(self, warp, left, warp.index() % 4 * 16, 16, first);
              int[][] y = read(self, warp, right, 0, n, second);
              multiply(warp, d, x, y, accumulate);
            });
      }
    };
  }

  private static void multiply(Warp warp, int[] d, int[][] x, int[][] y, boolean accumulate) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      for (int r = 0; r < d.length; r++) {
        int row = lane / 4 + 8 * (r >> 1 & 1);
        int column = 8 * (r >> 2) + lane % 4 * 2 + (r & 1);
        int sum = accumulate ? warp.words[d[r] + lane] : 0;
        for (int k = 0; k < 32; k++) {
          sum += x[row][k] * y[column][k];
        }
        warp.words[d[r] + lane] = sum;
      }
    }
  }

  /// Reads rows of 32 bytes through a matrix descriptor (PTX ISA, "Shared Memory Matrix Layout"),
  /// K-major: bits 0-13 the address, 16-29 the leading and 32-45 the stride offset, each in units
  /// of 16 bytes, 62-63 the swizzle.
  private static int[][] read(
      Op op, Warp warp, long descriptor, int from, int count, ScalarType type) {
    int start = (int) (descriptor & 0x3fff) << 4;
    int leading = (int) (descriptor >>> 16 & 0x3fff) << 4;
    int stride = (int) (descriptor >>> 32 & 0x3fff) << 4;
    int mode = (int) (descriptor >>> 62);
    if ((descriptor >>> 49 & 7) != 0) {
      throw warp.fault(op, 0, "a base offset in a matrix descriptor is not known here");
    }
    int[][] rows = new int[count][32];
    for (int row = 0; row < count; row++) {
      for (int chunk = 0; chunk < 2; chunk++) {
        int r = from + row;
        int at =
            switch (mode) {
              case 0 -> start + r / 8 * stride + chunk * leading + r % 8 * 16;
              case 1 -> start + r / 8 * stride + r % 8 * 128 + chunk * 16;
              case 2 -> start + r / 8 * stride + r % 8 * 64 + chunk * 16;
              default -> start + r / 8 * stride + r % 8 * 32 + chunk * 16;
            };
        int swizzled =
            switch (mode) {
              case 0 -> at;
              case 1 -> at ^ (at >> 3 & 0x70);
              case 2 -> at ^ (at >> 3 & 0x30);
              default -> at ^ (at >> 3 & 0x10);
            };
        byte[] bytes = Spaces.shared(op, warp, 0, swizzled, 16, Access.READ);
        int opened = warp.opened();
        if (!warp.block().proxyWrites().map(writes -> writes.visible(swizzled)).orElse(true)) {
          throw warp.fault(
              op,
              0,
              "no fence.proxy.async came between what was written at shared address "
                  + swizzled
                  + " and this product");
        }
        for (int x = 0; x < 16; x++) {
          rows[row][chunk * 16 + x] = IntegerOps.extend(bytes[opened + x], type);
        }
      }
    }
    return rows;
  }
}
