package io.rigmesh.worker.verify;

import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.task.RunEvent;
import java.util.function.Consumer;

/// Recomputes what a receipt claims, without network.
public final class Verifier {
  private final Kernels kernels;

  /// @param kernels what recomputes; any backend, since all have the same bits
  public Verifier(Kernels kernels) {
    this.kernels = kernels;
  }

  /// Checks signatures, roots and the chain whole, and recomputes as much of the work as asked.
  ///
  /// @param progress gets how many steps were recomputed, of how many
  public Verdict verify(
      ReceiptFile receipt,
      Materials materials,
      Samples samples,
      Consumer<RunEvent.Progress> progress) {
    return new Verdict.Invalid("no receipt can be recomputed yet on " + kernels.name());
  }
}
