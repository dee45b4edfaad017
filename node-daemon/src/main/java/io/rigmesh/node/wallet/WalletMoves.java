package io.rigmesh.node.wallet;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.ledger.wallet.WalletContracts;
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
    if (move instanceof WalletMove.Deposit deposit
        && sender.find(key).isEmpty()
        && money.allowance(sender.account()).compareTo(deposit.amount().units()) < 0) {
      sender.send(
          "wallet-approve:" + id,
          "let %s take %s".formatted(money.channels(), deposit.amount()),
          () -> money.approve(deposit.amount()),
          patience);
    }
    return sender.send(key, move.purpose(money), () -> move.call(money), patience);
  }
}
