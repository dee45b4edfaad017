package io.rigmesh.worker.ptx;

/// What is wrong with PTX text or with what it did: an unknown instruction, a refused one, an
/// access out of bounds, a race. The message names the kernel, the line and, while it ran, the
/// thread.
public final class PtxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PtxException(String message) {
    super(message);
  }

  /// A fault of the text at `line`.
  static PtxException at(int line, String what) {
    return new PtxException("PTX line " + line + ": " + what);
  }
}
