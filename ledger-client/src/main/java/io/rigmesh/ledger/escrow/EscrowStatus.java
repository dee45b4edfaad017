package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.LedgerException;

/// Where an escrow stands.
public enum EscrowStatus {
  /// The price is locked.
  FUNDED,
  /// The provider took the job on; some milestones may be proven and paid.
  ACCEPTED,
  /// Every milestone is proven, and some are not paid.
  PROVEN,
  /// Every milestone is paid, and the rest went back. Final.
  RELEASED,
  /// What was not proven went back; milestones proven before that are still paid.
  REFUNDED;

  static EscrowStatus ofNumber(int number) {
    return switch (number) {
      case 1 -> FUNDED;
      case 2 -> ACCEPTED;
      case 3 -> PROVEN;
      case 4 -> RELEASED;
      case 5 -> REFUNDED;
      default ->
          throw new LedgerException(
              "The escrow contract answers with the unknown status "
                  + number
                  + "; it is of another version than this node.");
    };
  }
}
