package io.rigmesh.worker.ptx;

import java.util.Map;
import java.util.function.LongBinaryOperator;

/// Atomics on integers, and fences. An atomic sum of floats depends on the order in which threads
/// come, so it is refused.
final class AtomicOps {
  private AtomicOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("atom", (i, rows) -> atomic(i, rows, true));
    builders.put("red", (i, rows) -> atomic(i, rows, false));
    builders.put("membar", AtomicOps::fence);
    builders.put("fence", AtomicOps::fence);
  }

  private static Op fence(Instruction i, Assembler rows) {
    if (i.opcode().contains("proxy")) {
      return LaneOps.each(
          i, (w, l) -> w.block().proxyWrites().ifPresent(writes -> writes.fence(w, l)));
    }
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        warp.block().fence();
      }
    };
  }

  private static Op atomic(Instruction i, Assembler rows, boolean returns) {
    Modifiers words = new Modifiers(i);
    boolean releases = i.opcode().contains("release") || i.opcode().contains("acq_rel");
    words.take("acq_rel");
    words.ignore(MemoryOps.HINTS);
    String space = MemoryOps.space(words);
    String operation =
        words.oneOf("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec");
    ScalarType type = words.type();
    words.end();
    if (type.floating() || type.bytes() < 4) {
      throw i.refused("an atomic on this type gives results that depend on the order of threads");
    }
    rows.accesses(type.bytes());
    int first = returns ? 1 : 0;
    int d = returns ? rows.result(i, i.operand(0), type) : -1;
    MemoryOps.AddressRow address = MemoryOps.address(i, rows, i.operand(first), space);
    int b = rows.row(i, i.operand(first + 1), type);
    int c = operation.equals("cas") ? rows.row(i, i.operand(first + 2), type) : -1;
    Spaces.Space memory = Spaces.named(space);
    LongBinaryOperator update = update(operation, type);
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          long where = address.of(warp, lane);
          byte[] bytes = memory.open(this, warp, lane, where, type.bytes(), Access.ATOMIC);
          int at = warp.opened();
          if (releases) {
            warp.block().fence();
          }
          if (!space.startsWith("shared")) {
            warp.block().meet(warp.block().launch().published(where));
          }
          long old =
              type.wide()
                  ? Bytes.getLong(bytes, at)
                  : IntegerOps.extendLong(Bytes.getInt(bytes, at), type);
          long value = operand(warp, b, lane, type);
          long next;
          if (c >= 0) {
            next = old == value ? operand(warp, c, lane, type) : old;
          } else {
            next = update.applyAsLong(old, value);
          }
          if (type.wide()) {
            Bytes.putLong(bytes, at, next);
          } else {
            Bytes.putInt(bytes, at, (int) next);
          }
          if (d >= 0 && type.wide()) {
            warp.wides[d + lane] = old;
          } else if (d >= 0) {
            warp.words[d + lane] = (int) old;
          }
        }
      }
    };
  }

  private static long operand(Warp warp, int row, int lane, ScalarType type) {
    return type.wide()
        ? warp.wides[row + lane]
        : IntegerOps.extendLong(warp.words[row + lane], type);
  }

  private static LongBinaryOperator update(String operation, ScalarType type) {
    boolean signed = type.signed();
    return switch (operation) {
      case "add" -> Long::sum;
      case "and" -> (x, y) -> x & y;
      case "or" -> (x, y) -> x | y;
      case "xor" -> (x, y) -> x ^ y;
      case "min" -> signed ? Math::min : (x, y) -> Long.compareUnsigned(x, y) < 0 ? x : y;
      case "max" -> signed ? Math::max : (x, y) -> Long.compareUnsigned(x, y) > 0 ? x : y;
      case "inc" -> (x, y) -> Long.compareUnsigned(x, y) >= 0 ? 0 : x + 1;
      case "dec" -> (x, y) -> x == 0 || Long.compareUnsigned(x, y) > 0 ? y : x - 1;
      default -> (x, y) -> y;
    };
  }
}
