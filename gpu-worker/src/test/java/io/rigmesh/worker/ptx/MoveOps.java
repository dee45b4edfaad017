package io.rigmesh.worker.ptx;

import java.util.List;
import java.util.Map;

/// `mov`, which copies, packs and unpacks.
final class MoveOps {
  private MoveOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("mov", MoveOps::move);
  }

  private static Op move(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    if (i.operand(0) instanceof Operand.Vector(List<Operand> parts)) {
      return unpack(i, rows, type, parts);
    }
    if (i.operand(1) instanceof Operand.Vector(List<Operand> parts)) {
      return pack(i, rows, type, parts);
    }
    if (type == ScalarType.PRED) {
      return predicate(i, rows);
    }
    if (type.wide() && i.operand(1) instanceof Operand.Special(String name)) {
      throw i.refused(name + " depends on time or place, so no result may");
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    return type.wide() ? LaneOps.oneWide(i, d, a, x -> x) : LaneOps.one(i, d, a, x -> x);
  }

  private static Op predicate(Instruction i, Assembler rows) {
    int d = rows.predicate(i, i.operand(0));
    if (i.operand(1) instanceof Operand.Immediate(long bits, ScalarType ignored)) {
      return LaneOps.each(i, (w, l) -> PredicateOps.set(w, d, l, bits != 0));
    }
    int a = rows.predicate(i, i.operand(1));
    return LaneOps.each(i, (w, l) -> PredicateOps.set(w, d, l, (w.predicates[a] >> l & 1) != 0));
  }

  private static ScalarType part(Instruction i, ScalarType type, List<Operand> parts) {
    return switch (type.bytes() / parts.size()) {
      case 1 -> ScalarType.B8;
      case 2 -> ScalarType.B16;
      case 4 -> ScalarType.B32;
      default -> throw i.refused("the parts do not make up the whole");
    };
  }

  private static Op unpack(Instruction i, Assembler rows, ScalarType type, List<Operand> parts) {
    ScalarType part = part(i, type, parts);
    int a = rows.row(i, i.operand(1), type);
    int[] d = parts.stream().mapToInt(operand -> rows.result(i, operand, part)).toArray();
    return LaneOps.each(
        i,
        (w, l) -> {
          long whole = type.wide() ? w.wides[a + l] : w.words[a + l];
          for (int k = 0; k < d.length; k++) {
            w.words[d[k] + l] = IntegerOps.extend((int) (whole >>> (k * part.bits())), part);
          }
        });
  }

  private static Op pack(Instruction i, Assembler rows, ScalarType type, List<Operand> parts) {
    ScalarType part = part(i, type, parts);
    int d = rows.result(i, i.operand(0), type);
    int[] a = parts.stream().mapToInt(operand -> rows.word(i, operand, part)).toArray();
    long mask = (1L << part.bits()) - 1;
    return LaneOps.each(
        i,
        (w, l) -> {
          long whole = 0;
          for (int k = 0; k < a.length; k++) {
            whole |= (w.words[a[k] + l] & mask) << (k * part.bits());
          }
          if (type.wide()) {
            w.wides[d + l] = whole;
          } else {
            w.words[d + l] = (int) whole;
          }
        });
  }
}
