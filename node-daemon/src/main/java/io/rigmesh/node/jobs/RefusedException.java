package io.rigmesh.node.jobs;

import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;

/// A draft was not made into a job, and why.
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  /// Refuses for a reason.
  public RefusedException(Refusal refusal) {
    super(refusal.toString());
    this.refusal = refusal;
  }

  /// Refuses for a reason.
  public RefusedException(RefusalCode code, String sentence) {
    this(new Refusal(code, sentence));
  }

  /// Why.
  public Refusal refusal() {
    return refusal;
  }
}
