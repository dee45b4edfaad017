package io.rigmesh.node.wallet;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.wallet.LockedItem;
import io.rigmesh.ledger.wallet.WalletEntry;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import java.util.Optional;

/// What a person sees of an account's tokens and does with them. Safe for use by several threads.
public interface Purse {
  /// The lines of history that come before a point, the newest first. Reads the chain's events up
  /// to now.
  ///
  /// @throws io.rigmesh.ledger.TransactionPendingException if there is so much to read that another
  ///   call is needed; it goes on where this one stopped
  /// @throws io.rigmesh.ledger.LedgerException if the chain is away
  History history(Optional<Point> before, int limit);

  /// What is locked where, and until when. Reads and throws as [#history] does.
  Locked locked();

  /// Makes a move and waits until it is confirmed.
  ///
  /// @param id names it for ever: the same move under the same id is found, not repeated
  /// @throws io.rigmesh.ledger.TransactionPendingException if it is on its way; calling again waits
  ///   on
  /// @throws io.rigmesh.ledger.TransactionRefusedException if the chain would revert it
  /// @throws io.rigmesh.ledger.TransactionFailedException if it reverted
  /// @throws io.rigmesh.ledger.IntentConflictException if the id stands for another move
  /// @throws io.rigmesh.ledger.LedgerException if the chain is away
  Inclusion move(String id, WalletMove move);

  /// Where a line stands in the chain.
  ///
  /// @param block its block's number
  /// @param index its log's index
  record Point(long block, long index) {}

  /// A page of history.
  ///
  /// @param account whose
  /// @param entries the lines
  /// @param next before which the next page begins; empty after the last
  record History(Address account, List<WalletEntry> entries, Optional<Point> next) {
    /// Copies the list.
    public History {
      entries = List.copyOf(entries);
    }
  }

  /// What is locked.
  ///
  /// @param account whose
  /// @param free what is free in its balance with the channels' contract
  /// @param items what is locked, and what waits for the account
  record Locked(Address account, TokenAmount free, List<LockedItem> items) {
    /// Copies the list.
    public Locked {
      items = List.copyOf(items);
    }
  }
}
