package io.rigmesh.ledger;

/// A business key was used twice for two different purposes. Nothing was sent for the second.
public final class IntentConflictException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// The key, what it stands for already, and what was asked of it now.
  public IntentConflictException(String key, String stored, String asked) {
    super(
        "The transaction \"%s\" is stored as \"%s\" and cannot become \"%s\"; use another key for it."
            .formatted(key, stored, asked));
  }
}
