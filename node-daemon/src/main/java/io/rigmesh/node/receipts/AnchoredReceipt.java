package io.rigmesh.node.receipts;

import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedReceipt;
import java.time.Instant;
import java.util.Optional;

/// The claim that an account wrote a root down at a time and that one signed receipt is under it:
/// all that somebody needs who has an endpoint of the chain, and nothing else.
///
/// @param chainId the chain's EIP-155 id
/// @param log ReceiptLog
/// @param account who anchored the root
/// @param anchoredAt the time of the block that did, as the contract keeps it
/// @param where the transaction, where the account's sender knows it; nobody needs it to check
/// @param domain what the receipt is signed for
/// @param receipt the receipt
/// @param proof its way to the root
public record AnchoredReceipt(
    long chainId,
    Address log,
    Address account,
    Instant anchoredAt,
    Optional<Where> where,
    Domain domain,
    SignedReceipt receipt,
    ReceiptProof proof) {

  /// A transaction in a block.
  ///
  /// @param transaction its hash
  /// @param block the block's number
  public record Where(Hash transaction, long block) {}
}
