package io.rigmesh.worker.ptx;

import java.util.Arrays;

/// Who last wrote and read every piece of a memory, and when: what finds races.
///
/// A thread is known as `(block << 10 | thread in the block) + 1`, a moment as the logical clock of
/// its warp, which a barrier advances. Two accesses of one piece, one of them a write, by two
/// threads between which no barrier (or, between blocks, no fence and atomic) lies, are a race. The
/// last two readers of a piece are remembered.
final class Shadow {
  /// What was found wrong; the first is good.
  enum Finding {
    NONE,
    UNINITIALISED,
    RACE_WITH_WRITE,
    RACE_WITH_READ,
    WRITTEN_BEFORE_CONSTANT_READ
  }

  private static final int FIELDS = 6;

  /// How many pieces are forgotten together.
  private static final int CHUNK = 512;

  private static final int WRITER = 0;
  private static final int WRITTEN = 1;
  private static final int READER = 2;
  private static final int READ = 3;
  private static final int READER_BEFORE = 4;
  private static final int READ_BEFORE = 5;
  private static final int ATOMIC = 1 << 30;

  private final int shift;
  private final boolean shared;
  private final int[] pieces;
  private final long[] chunkLaunches;
  private long launch;
  private int other;

  /// @param unitBytes the size of a piece: 1 or 4
  /// @param shared whether this is a block's memory, whose contents end with the block
  Shadow(int bytes, int unitBytes, boolean shared) {
    this.shift = unitBytes == 4 ? 2 : 0;
    this.shared = shared;
    int count = (bytes + unitBytes - 1) >> shift;
    this.pieces = new int[count * FIELDS];
    this.chunkLaunches = new long[count / CHUNK + 1];
  }

  /// Forgets everything that was of another launch; a piece of memory that a launch does not touch
  /// costs it nothing.
  void begin(long ofLaunch) {
    launch = ofLaunch;
  }

  private void forgetEarlier(int piece) {
    int chunk = piece / CHUNK;
    if (chunkLaunches[chunk] != launch) {
      chunkLaunches[chunk] = launch;
      int from = chunk * CHUNK * FIELDS;
      Arrays.fill(pieces, from, Math.min(pieces.length, from + CHUNK * FIELDS), 0);
    }
  }

  /// The name of the other thread of the race that was found last.
  String otherThread() {
    int who = (other & ~ATOMIC) - 1;
    return "thread " + (who & 1023) + " of block " + (who >>> 10);
  }

  Finding access(Warp warp, int lane, int at, int bytes, Access kind) {
    int first = at >> shift;
    int last = (at + bytes - 1) >> shift;
    int thread = warp.firstThread() + lane;
    int me = ((warp.block().number() << 10) | thread) + 1;
    int now = warp.clock();
    for (int piece = first; piece <= last; piece++) {
      forgetEarlier(piece);
      int base = piece * FIELDS;
      Finding finding =
          switch (kind) {
            case READ, READ_CONSTANT -> read(warp, thread, base, kind);
            case WRITE, ATOMIC -> write(warp, thread, base, kind);
          };
      if (finding != Finding.NONE) {
        return finding;
      }
      if (kind == Access.WRITE || kind == Access.ATOMIC) {
        pieces[base + WRITER] = kind == Access.ATOMIC ? me | ATOMIC : me;
        pieces[base + WRITTEN] = now;
        pieces[base + READER] = 0;
        pieces[base + READER_BEFORE] = 0;
      } else {
        if (pieces[base + READER] != me) {
          pieces[base + READER_BEFORE] = pieces[base + READER];
          pieces[base + READ_BEFORE] = pieces[base + READ];
          pieces[base + READER] = me;
        }
        pieces[base + READ] = now;
      }
    }
    return Finding.NONE;
  }

  private Finding read(Warp warp, int thread, int base, Access kind) {
    int writer = pieces[base + WRITER];
    if (stale(writer, warp)) {
      return shared ? Finding.UNINITIALISED : Finding.NONE;
    }
    if (kind == Access.READ_CONSTANT) {
      other = writer;
      return Finding.WRITTEN_BEFORE_CONSTANT_READ;
    }
    if (!ordered(writer, pieces[base + WRITTEN], warp, thread)) {
      other = writer;
      return Finding.RACE_WITH_WRITE;
    }
    return Finding.NONE;
  }

  private Finding write(Warp warp, int thread, int base, Access kind) {
    int writer = pieces[base + WRITER];
    boolean bothAtomic = kind == Access.ATOMIC && (writer & ATOMIC) != 0;
    if (!stale(writer, warp)
        && !bothAtomic
        && !ordered(writer, pieces[base + WRITTEN], warp, thread)) {
      other = writer;
      return Finding.RACE_WITH_WRITE;
    }
    for (int field = READER; field <= READER_BEFORE; field += 2) {
      int reader = pieces[base + field];
      if (!stale(reader, warp) && !ordered(reader, pieces[base + field + 1], warp, thread)) {
        other = reader;
        return Finding.RACE_WITH_READ;
      }
    }
    if (kind == Access.ATOMIC && shared && stale(writer, warp)) {
      return Finding.UNINITIALISED;
    }
    return Finding.NONE;
  }

  private boolean stale(int who, Warp warp) {
    return who == 0 || (shared && (((who & ~ATOMIC) - 1) >>> 10) != warp.block().number());
  }

  private static boolean ordered(int who, int when, Warp warp, int thread) {
    int plain = (who & ~ATOMIC) - 1;
    int block = plain >>> 10;
    if (block != warp.block().number()) {
      return warp.block().hasAcquired(block);
    }
    int otherThread = plain & 1023;
    return otherThread == thread || warp.hasSeen(otherThread >> 5, when);
  }
}
