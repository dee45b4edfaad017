package io.rigmesh.node.wallet;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.time.Duration;

/// Sends moves from one account. Safe for use by several threads.
///
/// @param sender the account's only one
/// @param money the contracts
/// @param patience how long each transaction may take before the caller hears that it is pending
record WalletMoves(TransactionSender sender, WalletContracts money, Duration patience) {
  /// As [Purse#move] has it.
  Inclusion move(String id, WalletMove move) {
    String key = "wallet-" + move.verb() + ":" + id;
    if (move instanceof WalletMove.Deposit deposit) {
      allow(key, id, money.channels(), deposit.amount());
    }
    if (move instanceof WalletMove.Stake stake) {
      allow(key, id, stake.registry(), stake.amount());
    }
    return sender.send(key, move.purpose(money), () -> move.call(money), patience);
  }

  /// Lets a contract take what a move needs, where the move is new and it may not take so much yet.
  private void allow(String key, String id, Address spender, TokenAmount amount) {
    if (sender.find(key).isEmpty()
        && money.allowance(sender.account(), spender).compareTo(amount.units()) < 0) {
      Inclusion _ =
          sender.send(
              "wallet-approve:" + id,
              "let %s take %s".formatted(spender, amount),
              () -> money.approve(spender, amount),
              patience);
    }
  }
}
