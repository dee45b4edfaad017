package io.rigmesh.worker.ptx;

import java.util.Map;

/// `cp.async` in its forms, and memory barriers.
final class AsyncOps {
  private AsyncOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("cp", AsyncOps::copy);
    builders.put("mbarrier", AsyncOps::barrier);
  }

  private static Op copy(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    words.oneOf("async");
    if (words.take("commit_group")) {
      words.end();
      return LaneOps.each(i, (w, l) -> w.copies().commit(l));
    }
    if (words.take("wait_group")) {
      words.end();
      int keep = (int) literal(i, i.operand(0));
      return LaneOps.each(i, (w, l) -> w.copies().await(l, keep));
    }
    if (words.take("wait_all")) {
      words.end();
      return LaneOps.each(i, (w, l) -> w.copies().awaitAll(l));
    }
    if (words.take("mbarrier")) {
      return arriveAfterCopies(i, words, rows);
    }
    if (words.take("bulk")) {
      return bulk(i, words, rows);
    }
    words.oneOf("ca", "cg");
    words.ignore(MemoryOps.HINTS);
    words.oneOf("shared", "shared::cta");
    words.oneOf("global");
    words.end();
    MemoryOps.AddressRow to = MemoryOps.address(i, rows, i.operand(0), "shared");
    MemoryOps.AddressRow from = MemoryOps.address(i, rows, i.operand(1), "global");
    int size = (int) literal(i, i.operand(2));
    if (size != 4 && size != 8 && size != 16) {
      throw i.refused("4, 8 or 16 bytes are copied");
    }
    int present =
        i.operands().size() > 3
            ? rows.word(i, i.operand(3), ScalarType.U32)
            : rows.wordConstant(size);
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          long target = to.of(warp, lane);
          long source = from.of(warp, lane);
          int count = warp.words[present + lane];
          if (count < 0 || count > size) {
            throw warp.fault(this, lane, count + " of " + size + " bytes would be copied");
          }
          Op self = this;
          warp.copies().add(lane, () -> transfer(self, warp, lane, target, source, size, count));
        }
      }
    };
  }

  /// Copies `count` bytes and fills the rest of `size` with zeros.
  private static void transfer(
      Op op, Warp warp, int lane, long target, long source, int size, int count) {
    byte[] piece = new byte[size];
    if (count > 0 && Integer.bitCount(count) == 1 && count >= 4) {
      byte[] bytes = Spaces.global(op, warp, lane, source, count, Access.READ);
      System.arraycopy(bytes, warp.opened(), piece, 0, count);
    } else {
      for (int k = 0; k < count; k++) {
        piece[k] = Spaces.global(op, warp, lane, source + k, 1, Access.READ)[warp.opened()];
      }
    }
    byte[] bytes = Spaces.shared(op, warp, lane, target, size, Access.WRITE);
    System.arraycopy(piece, 0, bytes, warp.opened(), size);
  }

  private static Op arriveAfterCopies(Instruction i, Modifiers words, Assembler rows) {
    words.oneOf("arrive");
    boolean counted = words.take("noinc");
    words.oneOf("shared", "shared::cta");
    words.oneOf("b64");
    words.end();
    if (!counted) {
      throw i.refused("only the form .noinc is known");
    }
    MemoryOps.AddressRow address = MemoryOps.address(i, rows, i.operand(0), "shared");
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          warp.copies().awaitAll(lane);
          find(this, warp, lane, address).arrive(warp, 1);
        }
      }
    };
  }

  /// `cp.async.bulk` from global to shared memory, which an mbarrier counts.
  private static Op bulk(Instruction i, Modifiers words, Assembler rows) {
    if (words.take("tensor")) {
      throw i.refused(
          "a tensor map is encoded by the driver, so its copies cannot be interpreted; use"
              + " cp.async.bulk or cp.async");
    }
    words.oneOf("shared::cluster", "shared::cta");
    words.oneOf("global");
    words.oneOf("mbarrier::complete_tx::bytes");
    words.ignore(MemoryOps.HINTS);
    words.end();
    MemoryOps.AddressRow to = MemoryOps.address(i, rows, i.operand(0), "shared");
    MemoryOps.AddressRow from = MemoryOps.address(i, rows, i.operand(1), "global");
    int size = rows.word(i, i.operand(2), ScalarType.U32);
    MemoryOps.AddressRow barrier = MemoryOps.address(i, rows, i.operand(3), "shared");
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          int count = warp.words[size + lane];
          if (count <= 0 || count % 16 != 0) {
            throw warp.fault(this, lane, count + " bytes are no multiple of 16");
          }
          long target = to.of(warp, lane);
          long source = from.of(warp, lane);
          Op self = this;
          find(this, warp, lane, barrier)
              .copy(
                  warp,
                  count,
                  () -> {
                    for (int k = 0; k < count; k += 16) {
                      transfer(self, warp, lane, target + k, source + k, 16, 16);
                    }
                    warp.block()
                        .proxyWrites()
                        .ifPresent(writes -> writes.wroteAsynchronously((int) target, count));
                  });
        }
      }
    };
  }

  private static Op barrier(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    String what = words.oneOf("init", "inval", "arrive", "expect_tx", "test_wait", "try_wait");
    boolean expects = what.equals("arrive") && words.take("expect_tx");
    boolean parity = words.take("parity");
    words.ignore(MemoryOps.HINTS);
    words.oneOf("shared", "shared::cta");
    words.oneOf("b64");
    words.end();
    boolean waits = what.endsWith("wait");
    int first = waits || (what.equals("arrive")) ? 1 : 0;
    MemoryOps.AddressRow address = MemoryOps.address(i, rows, i.operand(first), "shared");
    if (waits) {
      return await(i, rows, address, parity);
    }
    int state = what.equals("arrive") ? rows.result(i, i.operand(0), ScalarType.B64) : -1;
    int count =
        i.operands().size() > first + 1
            ? rows.word(i, i.operand(first + 1), ScalarType.U32)
            : rows.wordConstant(1);
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          int number = warp.words[count + lane];
          if (what.equals("init")) {
            int at = (int) address.of(warp, lane);
            Spaces.shared(this, warp, lane, at, 8, Access.WRITE);
            warp.block()
                .memoryBarriers()
                .put(at, new MemoryBarrier(number, warp.block().warpCount()));
            continue;
          }
          MemoryBarrier barrier = find(this, warp, lane, address);
          if (what.equals("inval")) {
            warp.block().memoryBarriers().remove((int) address.of(warp, lane));
          } else if (what.equals("expect_tx")) {
            barrier.expectBytes(number);
          } else {
            warp.wides[state + lane] = barrier.phase();
            if (expects) {
              barrier.expectBytes(number);
            }
            barrier.arrive(warp, expects ? 1 : number);
          }
        }
      }
    };
  }

  private static Op await(
      Instruction i, Assembler rows, MemoryOps.AddressRow address, boolean parity) {
    int p = rows.predicate(i, i.operand(0));
    int word = parity ? rows.word(i, i.operand(2), ScalarType.U32) : -1;
    int wide = parity ? -1 : rows.wide(i, i.operand(2), ScalarType.B64);
    return new Op(i, Op.Kind.YIELDING) {
      @Override
      void run(Warp warp, int mask) {
        for (int left = mask; left != 0; left &= left - 1) {
          int lane = Integer.numberOfTrailingZeros(left);
          long asked = parity ? warp.words[word + lane] : warp.wides[wide + lane];
          boolean done = find(this, warp, lane, address).complete(warp, asked, parity);
          PredicateOps.set(warp, p, lane, done);
          if (!done) {
            warp.yieldTurn();
          }
        }
      }
    };
  }

  private static MemoryBarrier find(Op op, Warp warp, int lane, MemoryOps.AddressRow address) {
    MemoryBarrier barrier = warp.block().memoryBarriers().get((int) address.of(warp, lane));
    if (barrier == null) {
      throw warp.fault(op, lane, "there is no mbarrier at " + address.of(warp, lane));
    }
    return barrier;
  }

  private static long literal(Instruction i, Operand operand) {
    if (operand instanceof Operand.Immediate(long bits, ScalarType ignored)) {
      return bits;
    }
    throw i.refused("a number is expected");
  }
}
