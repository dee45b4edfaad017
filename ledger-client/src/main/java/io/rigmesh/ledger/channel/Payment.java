package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import java.util.List;

/// What a payer sends: a voucher, and the receipts that its root has over what the payee may know.
///
/// @param voucher the voucher
/// @param receiptsBefore how many receipts of the channel come before these
/// @param receipts hashes of receipts that are paid in full, the last ones under the voucher's root
public record Payment(SignedVoucher voucher, long receiptsBefore, List<Hash> receipts) {
  /// The most receipts that a payment names on a job's stream.
  public static final int RECEIPTS_MAX = 64;

  /// Copies the list.
  public Payment {
    receipts = List.copyOf(receipts);
    if (receiptsBefore < 0) {
      throw new IllegalArgumentException("a number of receipts is not below zero");
    }
  }
}
