package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.LedgerException;

/// Where an escrow stands. Released and refunded are final.
public enum EscrowStatus {
  /// The price is locked.
  FUNDED,
  /// The provider took the job on.
  ACCEPTED,
  /// The provider handed in its proof.
  PROVEN,
  /// The provider was paid.
  RELEASED,
  /// The requester got everything back.
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
