package io.rigmesh.worker.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// 32 threads, their registers, and where in the program each of them is.
///
/// Threads that are at the same instruction run as one group; of several groups the one that is
/// furthest behind runs, so that they meet again. A group waits at a collective instruction for the
/// threads that it names, and at a barrier for the block.
final class Warp {
  static final int LANES = 32;

  private static final int RUNNING = 0;
  private static final int WAITING = 1;

  /// The 32-bit registers: register i of lane l is at `i * 32 + l`.
  final int[] words;

  /// The 64-bit registers, in the same way.
  final long[] wides;

  /// The predicates: bit l of predicate i is lane l's.
  final int[] predicates;

  private final Block block;
  private final int index;
  private final byte[] local;
  private final int[] seen;
  private final int[] groupPc = new int[LANES];
  private final int[] groupMask = new int[LANES];
  private final int[] groupState = new int[LANES];
  private final AsyncCopies copies = new AsyncCopies();
  private final MatrixQueue matrices = new MatrixQueue();
  private int groups;
  private int live;
  private int opened;
  private boolean atBarrier;
  private boolean yielded;

  Warp(Block block, int index, int warps) {
    this.block = block;
    this.index = index;
    Program program = block.launch().program();
    this.words = program.words();
    this.wides = program.wides();
    this.predicates = new int[program.predicates()];
    this.local = new byte[program.localBytes() * LANES];
    this.seen = new int[warps];
    this.seen[index] = 1;
    int threads = Math.min(LANES, block.launch().block().count() - index * LANES);
    this.live = threads == LANES ? -1 : (1 << threads) - 1;
    this.groups = 1;
    this.groupMask[0] = live;
    program.fillSpecials(this);
  }

  Block block() {
    return block;
  }

  int index() {
    return index;
  }

  /// The number, in the block, of lane 0's thread.
  int firstThread() {
    return index * LANES;
  }

  int live() {
    return live;
  }

  boolean finished() {
    return live == 0;
  }

  boolean waitsAtBarrier() {
    return atBarrier;
  }

  byte[] local() {
    return local;
  }

  AsyncCopies copies() {
    return copies;
  }

  MatrixQueue matrices() {
    return matrices;
  }

  /// The place in the array that the last [Spaces.Space#open] gave.
  int opened() {
    return opened;
  }

  void opened(int at) {
    opened = at;
  }

  /// This warp's logical time.
  int clock() {
    return seen[index];
  }

  /// Whether what `warp` did at its time `when` lies before what this warp does now.
  boolean hasSeen(int warp, int when) {
    return warp == index ? when < seen[index] : when <= seen[warp];
  }

  /// Orders what the threads of this warp did before what they do next.
  void tick() {
    seen[index]++;
  }

  /// Publishes into `clocks` what this warp knows, and advances its time.
  void release(int[] clocks) {
    for (int i = 0; i < seen.length; i++) {
      clocks[i] = Math.max(clocks[i], seen[i]);
    }
    tick();
  }

  /// Learns what was published in `clocks`.
  void acquire(int[] clocks) {
    int own = seen[index];
    for (int i = 0; i < seen.length; i++) {
      seen[i] = Math.max(seen[i], clocks[i]);
    }
    seen[index] = own;
  }

  /// Asks for a turn of the other warps after this instruction.
  void yieldTurn() {
    yielded = true;
  }

  /// Lets the threads go on that waited at a barrier.
  void passBarrier() {
    atBarrier = false;
    groupState[0] = RUNNING;
    groupPc[0]++;
  }

  /// Runs until every thread waits or has ended, or the turn is over; says whether anything ran.
  boolean run(int turn) {
    Op[] code = block.launch().program().code();
    int left = turn;
    yielded = false;
    while (left > 0 && !yielded) {
      int group = next();
      if (group < 0) {
        break;
      }
      if (groups == 1) {
        left = straight(code, left);
      } else {
        block.launch().countThreadInstructions(Integer.bitCount(groupMask[group]));
        step(code, group);
        left--;
        gather();
      }
    }
    block.launch().countWarpInstructions(turn - left);
    return left < turn;
  }

  /// Runs the only group while its threads stay together.
  private int straight(Op[] code, int turn) {
    int left = turn;
    int mask = groupMask[0];
    int pc = groupPc[0];
    long threads = 0;
    int lanes = Integer.bitCount(mask);
    while (left > 0) {
      if (pc >= code.length) {
        groupPc[0] = pc;
        step(code, 0);
        break;
      }
      Op op = code[pc];
      if (op.kind() == Op.Kind.PLAIN) {
        int some = op.guarded(this, mask);
        if (some != 0) {
          op.run(this, some);
        }
        pc++;
      } else if (op.kind() == Op.Kind.BRANCH && op.guarded(this, mask) == mask) {
        pc = op.target();
      } else if (op.kind() == Op.Kind.BRANCH && op.guarded(this, mask) == 0) {
        pc++;
      } else {
        groupPc[0] = pc;
        step(code, 0);
        left--;
        threads += lanes;
        break;
      }
      left--;
      threads += lanes;
      groupPc[0] = pc;
    }
    block.launch().countThreadInstructions(threads);
    return left;
  }

  private void step(Op[] code, int group) {
    int pc = groupPc[group];
    int mask = groupMask[group];
    if (pc >= code.length) {
      exit(group, mask);
      return;
    }
    Op op = code[pc];
    int some = op.guarded(this, mask);
    switch (op.kind()) {
      case PLAIN, YIELDING -> {
        if (some != 0) {
          op.run(this, some);
        }
        groupPc[group]++;
      }
      case BRANCH -> branch(group, some, op.target());
      case EXIT -> exit(group, some);
      case COLLECTIVE -> collective(op, group, some);
      case BARRIER -> barrier(op, group, some);
    }
  }

  private void branch(int group, int taken, int target) {
    int rest = groupMask[group] & ~taken;
    if (taken == 0) {
      groupPc[group]++;
    } else if (rest == 0) {
      groupPc[group] = target;
    } else {
      groupMask[group] = rest;
      groupPc[group]++;
      add(target, taken);
    }
  }

  private void exit(int group, int ended) {
    live &= ~ended;
    groupMask[group] &= ~ended;
    groupPc[group]++;
    if (groupMask[group] == 0) {
      remove(group);
    }
    // Who waited for the ended threads waits for fewer now.
    for (int i = 0; i < groups; i++) {
      groupState[i] = RUNNING;
    }
    if (live == 0) {
      block.warpFinished();
    }
  }

  /// Splits those off whom the guard keeps from running `group`'s instruction.
  private boolean leaveOthers(int group, int some) {
    int rest = groupMask[group] & ~some;
    if (rest == 0) {
      return false;
    }
    if (some == 0) {
      groupPc[group]++;
    } else {
      groupMask[group] = some;
      add(groupPc[group] + 1, rest);
    }
    return true;
  }

  private void collective(Op op, int group, int some) {
    if (leaveOthers(group, some)) {
      return;
    }
    int ready = 0;
    for (int left = some; left != 0; left &= left - 1) {
      int lane = Integer.numberOfTrailingZeros(left);
      int needed = op.required(this, lane) & live;
      if ((needed & (1 << lane)) == 0) {
        throw fault(op, lane, "the thread is not in the mask that it gives");
      }
      if ((needed & ~some) == 0) {
        ready |= 1 << lane;
      }
    }
    if (ready == 0) {
      groupState[group] = WAITING;
      return;
    }
    for (int left = ready; left != 0; ) {
      int together = op.required(this, Integer.numberOfTrailingZeros(left)) & live;
      for (int l = together; l != 0; l &= l - 1) {
        int lane = Integer.numberOfTrailingZeros(l);
        if ((op.required(this, lane) & live) != together) {
          throw fault(op, lane, "the threads of a mask give different masks");
        }
      }
      op.run(this, together);
      left &= ~together;
    }
    if (ready == some) {
      groupPc[group]++;
    } else {
      groupMask[group] = some & ~ready;
      groupState[group] = WAITING;
      add(groupPc[group] + 1, ready);
    }
  }

  private void barrier(Op op, int group, int some) {
    if (leaveOthers(group, some)) {
      return;
    }
    if (some != live) {
      groupState[group] = WAITING;
      return;
    }
    atBarrier = true;
    groupState[group] = WAITING;
    op.run(this, some);
  }

  private int next() {
    int best = -1;
    for (int i = 0; i < groups; i++) {
      if (groupState[i] == RUNNING && (best < 0 || groupPc[i] < groupPc[best])) {
        best = i;
      }
    }
    return best;
  }

  /// Makes one group of those that are at the same instruction.
  private void gather() {
    for (int i = 0; i < groups; i++) {
      for (int j = groups - 1; j > i; j--) {
        if (groupPc[i] == groupPc[j]) {
          groupMask[i] |= groupMask[j];
          groupState[i] = RUNNING;
          remove(j);
        }
      }
    }
  }

  private void add(int pc, int mask) {
    groupPc[groups] = pc;
    groupMask[groups] = mask;
    groupState[groups] = RUNNING;
    groups++;
  }

  private void remove(int group) {
    groups--;
    groupPc[group] = groupPc[groups];
    groupMask[group] = groupMask[groups];
    groupState[group] = groupState[groups];
  }

  /// Where the threads of this warp wait, for an error.
  List<String> waits() {
    Op[] code = block.launch().program().code();
    List<String> waits = new ArrayList<>();
    for (int i = 0; i < groups; i++) {
      Instruction at = code[groupPc[i]].source();
      waits.add(
          "warp "
              + index
              + ", lanes "
              + String.format("%08x", groupMask[i])
              + ", at line "
              + at.line()
              + " `"
              + at.text()
              + "`");
    }
    return waits;
  }

  /// The error of what `lane` does in `op`.
  PtxException fault(Op op, int lane, String what) {
    return new PtxException(
        "Kernel "
            + block.launch().program().name()
            + ", PTX line "
            + op.source().line()
            + " `"
            + op.source().text()
            + "`, thread "
            + block.launch().block().place(firstThread() + lane)
            + " of block "
            + block.launch().grid().place(block.number())
            + ": "
            + what
            + ".");
  }

  @Override
  public String toString() {
    return "warp " + index + " " + Arrays.toString(Arrays.copyOf(groupPc, groups));
  }
}
