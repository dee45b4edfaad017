package io.rigmesh.worker.ptx;

import java.util.Arrays;
import java.util.Map;

/// A compiled kernel.
final class Program {
  private final PtxModule.Kernel kernel;
  private final Op[] code;
  private final boolean usesAsyncProxy;
  private final Assembler rows;
  private final int sharedBytes;
  private final int localBytes;

  Program(PtxModule.Kernel kernel, Op[] code, Assembler rows, int sharedBytes, int localBytes) {
    this.kernel = kernel;
    this.code = code;
    this.usesAsyncProxy = Arrays.stream(code).anyMatch(op -> op.source().name().equals("wgmma"));
    this.rows = rows;
    this.sharedBytes = sharedBytes;
    this.localBytes = localBytes;
  }

  String name() {
    return kernel.name();
  }

  PtxModule.Kernel kernel() {
    return kernel;
  }

  /// Whether it reads shared memory through the asynchronous proxy.
  boolean usesAsyncProxy() {
    return usesAsyncProxy;
  }

  Op[] code() {
    return code;
  }

  int[] words() {
    return rows.wordTemplate();
  }

  long[] wides() {
    return rows.wideTemplate();
  }

  int predicates() {
    return rows.predicates();
  }

  /// The statically declared shared memory.
  int sharedBytes() {
    return sharedBytes;
  }

  int localBytes() {
    return localBytes;
  }

  /// How finely races in global memory are looked for: by the byte where the kernel touches single
  /// bytes.
  int globalUnitBytes() {
    return rows.narrowAccess() ? 1 : 4;
  }

  int sharedUnitBytes() {
    return rows.narrowAccess() ? 1 : 4;
  }

  /// Writes the special registers that the kernel uses into a new warp's rows.
  void fillSpecials(Warp warp) {
    Block block = warp.block();
    Launch launch = block.launch();
    for (Map.Entry<String, Integer> special : rows.specials().entrySet()) {
      for (int lane = 0; lane < Warp.LANES; lane++) {
        int thread = warp.firstThread() + lane;
        warp.words[special.getValue() + lane] =
            switch (special.getKey()) {
              case "%tid.x" -> launch.block().x(thread);
              case "%tid.y" -> launch.block().y(thread);
              case "%tid.z" -> launch.block().z(thread);
              case "%ntid.x" -> launch.block().x();
              case "%ntid.y" -> launch.block().y();
              case "%ntid.z" -> launch.block().z();
              case "%ctaid.x" -> launch.grid().x(block.number());
              case "%ctaid.y" -> launch.grid().y(block.number());
              case "%ctaid.z" -> launch.grid().z(block.number());
              case "%nctaid.x" -> launch.grid().x();
              case "%nctaid.y" -> launch.grid().y();
              case "%nctaid.z" -> launch.grid().z();
              case "%laneid" -> lane;
              case "%lanemask_lt" -> (1 << lane) - 1;
              case "%lanemask_le" -> lane == 31 ? -1 : (2 << lane) - 1;
              case "%lanemask_eq" -> 1 << lane;
              case "%lanemask_ge" -> -1 << lane;
              case "%lanemask_gt" -> lane == 31 ? 0 : -2 << lane;
              case "%dynamic_smem_size" -> launch.dynamicSharedBytes();
              case "%total_smem_size" -> sharedBytes + launch.dynamicSharedBytes();
              default ->
                  throw new PtxException(
                      "Kernel "
                          + kernel.name()
                          + " reads "
                          + special.getKey()
                          + ", which the interpreter does not provide.");
            };
      }
    }
  }
}
