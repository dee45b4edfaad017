package io.rigmesh.worker.ptx;

import java.util.Map;
import java.util.Optional;

/// Branches, ends and barriers.
final class ControlOps {
  private ControlOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("bra", ControlOps::branch);
    builders.put("ret", ControlOps::exit);
    builders.put("exit", ControlOps::exit);
    builders.put("trap", ControlOps::trap);
    builders.put("bar", ControlOps::barrier);
    builders.put("barrier", ControlOps::barrier);
    builders.put("nanosleep", (i, rows) -> nothing(i));
    builders.put("griddepcontrol", (i, rows) -> nothing(i));
    builders.put("setmaxnreg", (i, rows) -> nothing(i));
  }

  private static Op nothing(Instruction i) {
    return new Op(i, Op.Kind.YIELDING) {
      @Override
      void run(Warp warp, int mask) {
        warp.yieldTurn();
      }
    };
  }

  private static Op branch(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.take("uni");
    words.end();
    if (!(i.operand(0) instanceof Operand.Label(String ignored, int target))) {
      throw i.refused("a label is expected");
    }
    return new Op(i, Op.Kind.BRANCH) {
      @Override
      void run(Warp warp, int mask) {}

      @Override
      int target() {
        return target;
      }
    };
  }

  private static Op exit(Instruction i, Assembler rows) {
    return new Op(i, Op.Kind.EXIT) {
      @Override
      void run(Warp warp, int mask) {}
    };
  }

  private static Op trap(Instruction i, Assembler rows) {
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        throw warp.fault(this, Integer.numberOfTrailingZeros(mask), "the kernel gave up");
      }
    };
  }

  private static Op barrier(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    if (words.take("warp")) {
      words.oneOf("sync");
      words.end();
      return WarpOps.barrier(i, rows);
    }
    words.take("aligned");
    words.take("cta");
    String what = words.oneOf("sync", "arrive", "red");
    if (what.equals("red")) {
      return reduction(i, words, rows);
    }
    words.end();
    int id =
        i.operands().isEmpty() ? rows.wordConstant(0) : rows.word(i, i.operand(0), ScalarType.U32);
    Optional<Integer> threads =
        i.operands().size() > 1
            ? Optional.of(rows.word(i, i.operand(1), ScalarType.U32))
            : Optional.empty();
    boolean waits = what.equals("sync");
    return new BarrierOp(i, id, threads, waits, BarrierOp.Reduction.NONE, -1, false, -1);
  }

  private static Op reduction(Instruction i, Modifiers words, Assembler rows) {
    String operation = words.oneOf("and", "or", "popc");
    ScalarType type = words.type();
    words.end();
    boolean counts = operation.equals("popc");
    int result = counts ? rows.result(i, i.operand(0), type) : rows.predicate(i, i.operand(0));
    int id = rows.word(i, i.operand(1), ScalarType.U32);
    boolean limited = i.operands().size() > 3;
    Optional<Integer> threads =
        limited ? Optional.of(rows.word(i, i.operand(2), ScalarType.U32)) : Optional.empty();
    Operand last = i.operands().getLast();
    boolean negated = last instanceof Operand.Not;
    Operand predicate = last instanceof Operand.Not(Operand inner) ? inner : last;
    BarrierOp.Reduction reduction =
        switch (operation) {
          case "and" -> BarrierOp.Reduction.AND;
          case "or" -> BarrierOp.Reduction.OR;
          default -> BarrierOp.Reduction.COUNT;
        };
    return new BarrierOp(
        i, id, threads, true, reduction, rows.predicate(i, predicate), negated, result);
  }
}
