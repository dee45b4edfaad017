package io.rigmesh.worker.ptx;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// Loads and stores, of one register or of a vector of them, and what orders them.
final class MemoryOps {
  /// Words that say how caches or other threads see an access; the checks for races already ask for
  /// more than they promise.
  static final Set<String> HINTS =
      Set.of(
          "weak",
          "relaxed",
          "acquire",
          "release",
          "volatile",
          "cta",
          "gpu",
          "sys",
          "cluster",
          "ca",
          "cg",
          "cs",
          "lu",
          "cv",
          "wb",
          "wt",
          "L1::evict_normal",
          "L1::evict_unchanged",
          "L1::evict_first",
          "L1::evict_last",
          "L1::no_allocate",
          "L2::evict_first",
          "L2::evict_last",
          "L2::evict_normal",
          "L2::cache_hint",
          "L2::64B",
          "L2::128B",
          "L2::256B");

  private MemoryOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("ld", MemoryOps::load);
    builders.put("ldu", MemoryOps::load);
    builders.put("st", MemoryOps::store);
    builders.put("prefetch", (i, rows) -> LaneOps.each(i, (w, l) -> {}));
    builders.put("prefetchu", (i, rows) -> LaneOps.each(i, (w, l) -> {}));
    builders.put("createpolicy", (i, rows) -> LaneOps.each(i, (w, l) -> {}));
  }

  /// The state space among an instruction's words.
  static String space(Modifiers words) {
    return words.oneOfOr(
        "generic", "global", "shared", "shared::cta", "shared::cluster", "local", "param", "const");
  }

  /// How an instruction finds its address.
  static AddressRow address(Instruction i, Assembler rows, Operand operand, String space) {
    if (!(operand instanceof Operand.Address(Operand base, long offset, List<Operand> ignored))) {
      throw i.refused("an address in brackets is expected");
    }
    if (base instanceof Operand.Register register && !register.type().wide()) {
      if (space.equals("generic") || space.equals("global")) {
        throw i.refused("addresses of this space have 64 bits");
      }
      return new AddressRow(rows.word(i, base, ScalarType.U32), false, offset);
    }
    return new AddressRow(rows.wide(i, base, ScalarType.U64), true, offset);
  }

  /// A row of addresses, of 32 or 64 bits, and what is added to them.
  record AddressRow(int row, boolean wide, long offset) {
    long of(Warp warp, int lane) {
      return (wide ? warp.wides[row + lane] : warp.words[row + lane] & 0xffffffffL) + offset;
    }
  }

  private static ScalarType accessType(Instruction i, Modifiers words) {
    ScalarType type = words.type();
    if (type == ScalarType.PRED) {
      throw i.refused("predicates do not lie in memory");
    }
    return type;
  }

  private static List<Operand> elements(Instruction i, Operand operand, String count) {
    List<Operand> elements =
        operand instanceof Operand.Vector(List<Operand> many) ? many : List.of(operand);
    if (elements.size() != Integer.parseInt(count.substring(1))) {
      throw i.refused("the vector has another length");
    }
    return elements;
  }

  /// Whether a value lies in a 64-bit register, which loads and stores of narrower types may name.
  private static boolean inWideRegister(Operand operand) {
    return operand instanceof Operand.Register register && register.type().wide();
  }

  private static Op load(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean constant = words.take("nc");
    words.ignore(HINTS);
    String space = space(words);
    String count = words.oneOfOr("v1", "v2", "v4", "v8");
    ScalarType type = accessType(i, words);
    words.end();
    List<Operand> results = elements(i, i.operand(0), count);
    int[] d = new int[results.size()];
    int[] masks = new int[d.length];
    boolean[] widened = new boolean[d.length];
    for (int k = 0; k < d.length; k++) {
      widened[k] = !type.wide() && inWideRegister(results.get(k));
      d[k] = rows.result(i, results.get(k), widened[k] ? ScalarType.B64 : type);
      masks[k] =
          results.get(k) instanceof Operand.Register register && register.type().bytes() == 2
              ? 0xffff
              : -1;
    }
    AddressRow address = address(i, rows, i.operand(1), space);
    Spaces.Space memory = Spaces.named(space);
    if (!space.equals("param") && !space.equals("local")) {
      rows.accesses(type.bytes() * d.length);
    }
    Access kind = constant ? Access.READ_CONSTANT : Access.READ;
    int size = type.bytes();
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          byte[] bytes =
              memory.open(this, warp, lane, address.of(warp, lane), size * d.length, kind);
          int at = warp.opened();
          if (size == 8) {
            for (int k = 0; k < d.length; k++) {
              warp.wides[d[k] + lane] = Bytes.getLong(bytes, at + 8 * k);
            }
          } else if (widened[0]) {
            for (int k = 0; k < d.length; k++) {
              int word = Bytes.getWord(bytes, at + size * k, type);
              warp.wides[d[k] + lane] = IntegerOps.extendLong(word, type);
            }
          } else if (size == 4) {
            for (int k = 0; k < d.length; k++) {
              warp.words[d[k] + lane] = Bytes.getInt(bytes, at + 4 * k);
            }
          } else {
            for (int k = 0; k < d.length; k++) {
              warp.words[d[k] + lane] = Bytes.getWord(bytes, at + size * k, type) & masks[k];
            }
          }
        }
      }
    };
  }

  private static Op store(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.ignore(HINTS);
    String space = space(words);
    String count = words.oneOfOr("v1", "v2", "v4", "v8");
    ScalarType type = accessType(i, words);
    words.end();
    List<Operand> values = elements(i, i.operand(1), count);
    boolean narrowed = !type.wide() && inWideRegister(values.getFirst());
    ScalarType held = narrowed ? ScalarType.B64 : type;
    int[] a = values.stream().mapToInt(value -> rows.row(i, value, held)).toArray();
    AddressRow address = address(i, rows, i.operand(0), space);
    Spaces.Space memory = Spaces.named(space);
    if (!space.equals("local")) {
      rows.accesses(type.bytes() * a.length);
    }
    int size = type.bytes();
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          byte[] bytes =
              memory.open(this, warp, lane, address.of(warp, lane), size * a.length, Access.WRITE);
          int at = warp.opened();
          for (int k = 0; k < a.length; k++) {
            if (size == 8) {
              Bytes.putLong(bytes, at + 8 * k, warp.wides[a[k] + lane]);
            } else if (narrowed) {
              Bytes.putWord(bytes, at + size * k, type, (int) warp.wides[a[k] + lane]);
            } else {
              Bytes.putWord(bytes, at + size * k, type, warp.words[a[k] + lane]);
            }
          }
        }
      }
    };
  }
}
