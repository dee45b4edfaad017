package io.rigmesh.node.receipts;

import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.receipt.ReceiptLogReads;
import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.node.receipts.AnchorException.Reason;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.MerkleTree;
import java.time.Instant;
import java.util.Optional;

/// Checks a proof that somebody handed over, believing nothing of it but the chain and what was
/// computed here.
public final class ProofCheck {
  private ProofCheck() {}

  /// Checks that the receipt is its provider's, that it is under the root, and that the account
  /// wrote the root down when the proof says.
  ///
  /// @param rpc the proof's chain
  /// @param known the ReceiptLog of that chain as the settings name it; where they name none, the
  ///   proof's is believed only if its code is to the byte this software's
  /// @throws AnchorException saying what is false
  /// @throws io.rigmesh.ledger.LedgerException if the chain is away
  public static void check(ChainRpc rpc, Optional<Address> known, AnchoredReceipt claim) {
    if (!claim.receipt().isSignedFor(claim.domain())) {
      throw wrong(
          "The receipt is not signed by its provider %s."
              .formatted(claim.receipt().receipt().provider()));
    }
    Hash receipt = claim.receipt().receipt().hash();
    requireUnderRoot(receipt, claim.proof());
    ReceiptLogReads log = new ReceiptLogReads(rpc, claim.log());
    if (!known.equals(Optional.of(claim.log())) && !log.isKnownCode()) {
      throw wrong(
          "At %s on the chain %d is not the code of this version's ReceiptLog, so its word proves nothing; if you know it as one, name it with chain.receipts and chain.chain-id."
              .formatted(claim.log(), claim.chainId()));
    }
    Instant at =
        log.anchoredAt(claim.account(), claim.proof().root())
            .orElseThrow(() ->
                wrong(
                    "The account %s has not anchored the root %s in the ReceiptLog at %s."
                        .formatted(claim.account(), claim.proof().root(), claim.log())));
    if (!at.equals(claim.anchoredAt())) {
      throw wrong(
          "The root %s was anchored at %s, and the proof says %s."
              .formatted(claim.proof().root(), at, claim.anchoredAt()));
    }
    if (!log.proves(claim.account(), receipt, claim.proof())) {
      throw wrong(
          "The contract at %s does not find the receipt under the root.".formatted(claim.log()));
    }
  }

  private static void requireUnderRoot(Hash receipt, ReceiptProof proof) {
    Hash reached;
    try {
      reached =
          MerkleTree.rootFrom(
              MerkleTree.leaf(receipt.bytes()), proof.index(), proof.count(), proof.path());
    } catch (MalformedException e) {
      throw new AnchorException(
          Reason.FALSE, "The path is none of this tree: " + e.getMessage() + ".", e);
    }
    if (!reached.equals(proof.root())) {
      throw wrong(
          "The path leads from the receipt %s to %s, and not to the root %s."
              .formatted(receipt, reached, proof.root()));
    }
  }

  private static AnchorException wrong(String sentence) {
    return new AnchorException(Reason.FALSE, sentence);
  }
}
