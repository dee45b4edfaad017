package io.rigmesh.worker.cuda;

import io.rigmesh.worker.llama.LlamaConfig;
import java.util.List;

/// Writes the launch of a norm whose result is binary32.
final class NormLaunch {
  private static final int THREADS = 256;

  private NormLaunch() {}

  /// A norm of rows, or of pieces of rows.
  ///
  /// @param what for people
  /// @param x the first row
  /// @param stride how far rows of x and y lie apart
  /// @param gain `(cols)`
  /// @param y where the result goes, which may be x
  /// @param rows where the number of live rows stands
  /// @param rowsMax the most that it can be
  /// @param parts how many pieces a row has, one after the other
  /// @param cols of a piece
  record Use(
      String what,
      long x,
      int stride,
      long gain,
      long y,
      long rows,
      int rowsMax,
      int parts,
      int cols) {}

  /// The norms of every head's queries and keys, where the model has them.
  static List<Use> heads(
      LlamaConfig config,
      DeviceLlama.Layer layer,
      StepMemory memory,
      StepShape shape,
      String where) {
    if (!config.qkNorm()) {
      return List.of();
    }
    int stride = layer.qkv().columns();
    long queries = memory.qkv();
    long keys = queries + 4L * config.queryCols();
    long rows = memory.input().at(StepMemory.Input.ROWS);
    int d = config.headDim();
    return List.of(
        new Use(
            where + "query norm",
            queries,
            stride,
            layer.queryNorm(),
            queries,
            rows,
            shape.rows(),
            config.heads(),
            d),
        new Use(
            where + "key norm",
            keys,
            stride,
            layer.keyNorm(),
            keys,
            rows,
            shape.rows(),
            config.kvHeads(),
            d));
  }

  static Launch of(Use use, float epsilon, long fault, int firstFault) {
    long bytes = 4L * use.rowsMax() * use.parts() * use.cols();
    return new Launch(
        use.what(),
        "rms_norm",
        use.rowsMax(),
        use.parts(),
        1,
        THREADS,
        0,
        new Arguments()
            .at(use.x())
            .ints(use.stride())
            .at(use.gain())
            .real(epsilon)
            .at(use.y())
            .ints(use.stride())
            .at(use.rows())
            .ints(use.cols())
            .at(fault)
            .ints(firstFault)
            .list(),
        List.of("rmsNorm sum of squares", "rmsNorm"),
        Work.moving(bytes, bytes));
  }
}
