package io.rigmesh.node.receipts;

/// A receipt is not anchored or not proven, and a later try alone does not help. The message is a
/// sentence with the remedy.
public final class AnchorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;

  /// Why not.
  public enum Reason {
    /// The settings name no ReceiptLog.
    NO_LOG("no-receipt-log"),
    /// Every receipt is under an anchored root.
    NOTHING("nothing-to-anchor"),
    /// There is no such job.
    UNKNOWN_JOB("unknown-job"),
    /// The job has no receipt, or none yet.
    NO_RECEIPT("no-receipt"),
    /// The receipt is under no root that is confirmed on the chain.
    NOT_ANCHORED("not-anchored"),
    /// What was handed in is no proof.
    FALSE("false-proof");

    private final String id;

    Reason(String id) {
      this.id = id;
    }

    /// The word for it in answers.
    public String id() {
      return id;
    }
  }

  /// Why not, and a sentence with the remedy.
  public AnchorException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /// The same, and what showed it.
  public AnchorException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /// Why not.
  public Reason reason() {
    return reason;
  }
}
