package io.rigmesh.worker.ptx;

/// The state spaces as instructions reach them: every access is checked, and gives the array that
/// holds the bytes, with their place left in [Warp#opened].
final class Spaces {
  /// Where shared, local and parameter memory begin among generic addresses; global and constant
  /// addresses are the same in both.
  static final long SHARED_WINDOW = 0x010000000000L;

  static final long LOCAL_WINDOW = 0x020000000000L;
  static final long PARAM_WINDOW = 0x030000000000L;
  private static final long WINDOW_BYTES = 1L << 32;

  /// A state space.
  interface Space {
    /// Checks an access of `bytes` bytes and gives the array behind it.
    byte[] open(Op op, Warp warp, int lane, long address, int bytes, Access kind);
  }

  private Spaces() {}

  static Space named(String name) {
    return switch (name) {
      case "global", "const" -> Spaces::global;
      case "shared", "shared::cta", "shared::cluster" -> Spaces::shared;
      case "local" -> Spaces::local;
      case "param" -> Spaces::param;
      case "generic" -> Spaces::generic;
      default -> throw new PtxException("no state space is called " + name);
    };
  }

  static byte[] generic(Op op, Warp warp, int lane, long address, int bytes, Access kind) {
    if (inside(address, SHARED_WINDOW)) {
      return shared(op, warp, lane, address - SHARED_WINDOW, bytes, kind);
    }
    if (inside(address, LOCAL_WINDOW)) {
      return local(op, warp, lane, address - LOCAL_WINDOW, bytes, kind);
    }
    if (inside(address, PARAM_WINDOW)) {
      return param(op, warp, lane, address - PARAM_WINDOW, bytes, kind);
    }
    return global(op, warp, lane, address, bytes, kind);
  }

  static byte[] global(Op op, Warp warp, int lane, long address, int bytes, Access kind) {
    DeviceBuffer buffer = op.lastBuffer;
    Launch launch = warp.block().launch();
    if (buffer == null || !buffer.contains(address) || op.lastLaunch != launch.number()) {
      buffer =
          launch
              .memory()
              .at(address)
              .orElseThrow(() ->
                  warp.fault(
                      op, lane, "address " + hex(address) + ", " + launch.memory().near(address)));
      op.lastBuffer = buffer;
      op.lastLaunch = launch.number();
      op.lastShadow = buffer.shadow(launch.number(), launch.program().globalUnitBytes());
    }
    int at = (int) (address - buffer.address());
    aligned(op, warp, lane, address, bytes);
    if (at + bytes > buffer.size()) {
      throw warp.fault(
          op,
          lane,
          bytes + " bytes at address " + hex(address) + ", " + launch.memory().near(address));
    }
    boolean writes = kind == Access.WRITE || kind == Access.ATOMIC;
    if (writes && buffer.readOnly()) {
      throw warp.fault(op, lane, buffer.name() + " is constant");
    }
    if (kind != Access.WRITE && !buffer.initialised(at, bytes)) {
      throw warp.fault(op, lane, "byte " + at + " of " + buffer.name() + " was never written");
    }
    Shadow shadow = op.lastShadow;
    if (shadow != null && !buffer.readOnly()) {
      Shadow.Finding finding = shadow.access(warp, lane, at, bytes, kind);
      if (finding != Shadow.Finding.NONE) {
        throw race(op, warp, lane, finding, shadow, "byte " + at + " of " + buffer.name());
      }
    }
    if (writes) {
      buffer.initialise(at, bytes);
    }
    launch.countGlobal(buffer, at, bytes, writes);
    warp.opened(at);
    return buffer.data();
  }

  static byte[] shared(Op op, Warp warp, int lane, long address, int bytes, Access kind) {
    Block block = warp.block();
    if (address < 0 || address + bytes > block.shared().length) {
      throw warp.fault(
          op,
          lane,
          bytes
              + " bytes at shared address "
              + address
              + ", of a block that has "
              + block.shared().length);
    }
    aligned(op, warp, lane, address, bytes);
    Shadow shadow = block.sharedShadow();
    Shadow.Finding finding = shadow.access(warp, lane, (int) address, bytes, kind);
    if (finding != Shadow.Finding.NONE) {
      throw race(op, warp, lane, finding, shadow, "shared address " + address);
    }
    if (kind == Access.WRITE && block.proxyWrites().isPresent()) {
      block.proxyWrites().get().wrote(warp, lane, (int) address, bytes);
    }
    warp.opened((int) address);
    return block.shared();
  }

  static byte[] local(Op op, Warp warp, int lane, long address, int bytes, Access kind) {
    int size = warp.block().launch().program().localBytes();
    if (address < 0 || address + bytes > size) {
      throw warp.fault(
          op,
          lane,
          bytes + " bytes at local address " + address + ", of a thread that has " + size);
    }
    aligned(op, warp, lane, address, bytes);
    warp.opened(lane * size + (int) address);
    return warp.local();
  }

  static byte[] param(Op op, Warp warp, int lane, long address, int bytes, Access kind) {
    byte[] parameters = warp.block().launch().parameters();
    if (kind == Access.WRITE || kind == Access.ATOMIC) {
      throw warp.fault(op, lane, "parameters are constant");
    }
    if (address < 0 || address + bytes > parameters.length) {
      throw warp.fault(
          op,
          lane,
          bytes
              + " bytes at parameter address "
              + address
              + ", of a block of "
              + parameters.length);
    }
    aligned(op, warp, lane, address, bytes);
    warp.opened((int) address);
    return parameters;
  }

  private static PtxException race(
      Op op, Warp warp, int lane, Shadow.Finding finding, Shadow shadow, String where) {
    return warp.fault(
        op,
        lane,
        switch (finding) {
          case UNINITIALISED -> where + " was never written by this block";
          case RACE_WITH_WRITE -> where + " races with a write by " + shadow.otherThread();
          case RACE_WITH_READ -> where + " races with a read by " + shadow.otherThread();
          case WRITTEN_BEFORE_CONSTANT_READ ->
              where + " is read as constant, but this launch wrote it: " + shadow.otherThread();
          case NONE -> where;
        });
  }

  private static void aligned(Op op, Warp warp, int lane, long address, int bytes) {
    if ((address & (bytes - 1)) != 0) {
      throw warp.fault(
          op, lane, "address " + hex(address) + " is no multiple of " + bytes + " bytes");
    }
  }

  private static boolean inside(long address, long window) {
    return address >= window && address < window + WINDOW_BYTES;
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }
}
