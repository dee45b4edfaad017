package io.rigmesh.worker.cuda;

/// A CUDA device or its driver cannot do what was asked; the message says what happened and what a
/// person can do.
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says why.
  public CudaException(String message) {
    super(message);
  }
}
