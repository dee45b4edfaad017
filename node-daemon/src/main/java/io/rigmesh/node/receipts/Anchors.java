package io.rigmesh.node.receipts;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.node.store.AnchorRow;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.util.List;
import java.util.Optional;

/// What a person does with the receipts that a node holds and the chain. Safe for use by several
/// threads.
public interface Anchors {
  /// Writes a root over the receipts that are under none into the chain, and waits until that is
  /// confirmed. A root that was begun before is gone on with in place of a new one; the root and
  /// what is under it are on disk before its transaction leaves.
  ///
  /// @param id names it for ever: under the same id the same root is found
  /// @throws AnchorException if no log is set up, or nothing is to be anchored
  /// @throws io.rigmesh.ledger.TransactionPendingException if it is on its way; calling again waits
  ///   on
  /// @throws io.rigmesh.ledger.LedgerException if the chain is away or does not take it
  Anchored anchor(String id);

  /// The proof that a job's receipt is under an anchored root, which the contract itself has
  /// checked.
  ///
  /// @throws AnchorException if there is none, with the remedy
  /// @throws io.rigmesh.ledger.LedgerException if the chain is away
  AnchoredReceipt prove(Hash job);

  /// What was anchored, and what waits; needs no network.
  ///
  /// @throws AnchorException if no log is set up
  Listing list();

  /// A root, and its transaction where this account's sender made one that is in a block.
  ///
  /// @param row the root
  /// @param inclusion the block and what it cost
  record Anchor(AnchorRow row, Optional<Inclusion> inclusion) {}

  /// A root that is confirmed on the chain.
  ///
  /// @param anchor the root
  /// @param waiting how many receipts are under none
  record Anchored(Anchor anchor, long waiting) {}

  /// The state of things.
  ///
  /// @param chainId the chain's EIP-155 id
  /// @param log ReceiptLog
  /// @param account who anchors
  /// @param waiting how many receipts are under no root
  /// @param anchors the newest roots, the newest first
  record Listing(long chainId, Address log, Address account, long waiting, List<Anchor> anchors) {
    /// Copies the list.
    public Listing {
      anchors = List.copyOf(anchors);
    }
  }
}
