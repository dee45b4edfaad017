package io.rigmesh.worker.ptx;

import java.util.Map;

/// What the threads of a warp do together: shuffles, votes, matches, reductions.
final class WarpOps {
  private WarpOps() {}

  /// A collective whose participants a row of masks names.
  private abstract static class Collective extends Op {
    private final int members;

    Collective(Instruction source, int members) {
      super(source, Kind.COLLECTIVE);
      this.members = members;
    }

    @Override
    final int required(Warp warp, int lane) {
      return warp.words[members + lane];
    }
  }

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("shfl", WarpOps::shuffle);
    builders.put("vote", WarpOps::vote);
    builders.put("match", WarpOps::match);
    builders.put("redux", WarpOps::reduce);
    builders.put("elect", WarpOps::elect);
  }

  /// `bar.warp.sync`: besides waiting it orders what the threads do in memory.
  static Op barrier(Instruction i, Assembler rows) {
    return new Collective(i, rows.word(i, i.operand(0), ScalarType.B32)) {
      @Override
      void run(Warp warp, int mask) {
        if (mask == warp.live()) {
          warp.tick();
        }
      }
    };
  }

  private static Op shuffle(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.oneOf("sync");
    String mode = words.oneOf("up", "down", "bfly", "idx");
    words.oneOf("b32");
    words.end();
    Operand result = i.operand(0);
    int p = -1;
    if (result instanceof Operand.Pair(Operand first, Operand second)) {
      result = first;
      p = rows.predicate(i, second);
    }
    int inRange = p;
    int d = rows.result(i, result, ScalarType.B32);
    int a = rows.word(i, i.operand(1), ScalarType.B32);
    int b = rows.word(i, i.operand(2), ScalarType.B32);
    int c = rows.word(i, i.operand(3), ScalarType.B32);
    return new Collective(i, rows.word(i, i.operand(4), ScalarType.B32)) {
      @Override
      void run(Warp warp, int mask) {
        int[] before = new int[Warp.LANES];
        System.arraycopy(warp.words, a, before, 0, Warp.LANES);
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          int by = warp.words[b + lane] & 31;
          int clamp = warp.words[c + lane] & 31;
          int segment = warp.words[c + lane] >> 8 & 31;
          int top = (lane & segment) | (clamp & ~segment);
          int bottom = lane & segment;
          int from =
              switch (mode) {
                case "up" -> lane - by;
                case "down" -> lane + by;
                case "bfly" -> lane ^ by;
                default -> bottom | (by & ~segment);
              };
          boolean inside = mode.equals("up") ? from >= top : from <= top;
          if (!inside) {
            from = lane;
          }
          if ((mask >> from & 1) == 0) {
            throw warp.fault(this, lane, "lane " + from + " does not take part");
          }
          warp.words[d + lane] = before[from];
          if (inRange >= 0) {
            PredicateOps.set(warp, inRange, lane, inside);
          }
        }
      }
    };
  }

  private static Op vote(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.oneOf("sync");
    String mode = words.oneOf("all", "any", "uni", "ballot");
    ScalarType type = words.type();
    words.end();
    boolean ballot = mode.equals("ballot");
    if (ballot == (type == ScalarType.PRED)) {
      throw i.refused("a ballot gives a word, another vote a predicate");
    }
    int d = ballot ? rows.result(i, i.operand(0), type) : rows.predicate(i, i.operand(0));
    boolean negated = i.operand(1) instanceof Operand.Not;
    Operand voted = i.operand(1) instanceof Operand.Not(Operand inner) ? inner : i.operand(1);
    int p = voted instanceof Operand.Immediate ? -1 : rows.predicate(i, voted);
    boolean constant = voted instanceof Operand.Immediate(long bits, ScalarType t) && bits != 0;
    return new Collective(i, rows.word(i, i.operand(2), ScalarType.B32)) {
      @Override
      void run(Warp warp, int mask) {
        int bits = p >= 0 ? warp.predicates[p] : constant ? -1 : 0;
        int votes = (negated ? ~bits : bits) & mask;
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          if (ballot) {
            warp.words[d + lane] = votes;
          } else {
            PredicateOps.set(
                warp,
                d,
                lane,
                switch (mode) {
                  case "all" -> votes == mask;
                  case "any" -> votes != 0;
                  default -> votes == mask || votes == 0;
                });
          }
        }
      }
    };
  }

  private static Op match(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean all = words.oneOf("any", "all").equals("all");
    words.oneOf("sync");
    ScalarType type = words.type();
    words.end();
    Operand result = i.operand(0);
    int p = -1;
    if (result instanceof Operand.Pair(Operand first, Operand second)) {
      result = first;
      p = rows.predicate(i, second);
    }
    int same = p;
    int d = rows.result(i, result, ScalarType.B32);
    int a = rows.row(i, i.operand(1), type);
    return new Collective(i, rows.word(i, i.operand(2), ScalarType.B32)) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          int equal = 0;
          for (int others = mask; others != 0; others &= others - 1) {
            int other = Integer.numberOfTrailingZeros(others);
            boolean matches =
                type.wide()
                    ? warp.wides[a + lane] == warp.wides[a + other]
                    : warp.words[a + lane] == warp.words[a + other];
            equal |= matches ? 1 << other : 0;
          }
          warp.words[d + lane] = all && equal != mask ? 0 : equal;
          if (same >= 0) {
            PredicateOps.set(warp, same, lane, equal == mask);
          }
        }
      }
    };
  }

  private static Op reduce(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.oneOf("sync");
    String operation = words.oneOf("add", "min", "max", "and", "or", "xor");
    ScalarType type = words.type();
    words.end();
    if (type.floating() || type.bytes() != 4) {
      throw i.refused("only integers of 32 bits are reduced");
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.word(i, i.operand(1), type);
    return new Collective(i, rows.word(i, i.operand(2), ScalarType.B32)) {
      @Override
      void run(Warp warp, int mask) {
        int first = Integer.numberOfTrailingZeros(mask);
        int result = warp.words[a + first];
        for (int left = mask & ~(1 << first); left != 0; left &= left - 1) {
          int x = warp.words[a + Integer.numberOfTrailingZeros(left)];
          boolean less = type.signed() ? x < result : Integer.compareUnsigned(x, result) < 0;
          result =
              switch (operation) {
                case "add" -> result + x;
                case "min" -> less ? x : result;
                case "max" -> less ? result : x;
                case "and" -> result & x;
                case "or" -> result | x;
                default -> result ^ x;
              };
        }
        for (int left = mask; left != 0; left &= left - 1) {
          warp.words[d + Integer.numberOfTrailingZeros(left)] = result;
        }
      }
    };
  }

  private static Op elect(Instruction i, Assembler rows) {
    if (!(i.operand(0) instanceof Operand.Pair(Operand first, Operand second))) {
      throw i.refused("a word and a predicate are expected");
    }
    int d = rows.result(i, first, ScalarType.B32);
    int p = rows.predicate(i, second);
    return new Collective(i, rows.word(i, i.operand(1), ScalarType.B32)) {
      @Override
      void run(Warp warp, int mask) {
        int leader = Integer.numberOfTrailingZeros(mask);
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          warp.words[d + lane] = leader;
          PredicateOps.set(warp, p, lane, lane == leader);
        }
      }
    };
  }
}
