package io.rigmesh.node;

import io.rigmesh.node.jobs.TransactionView;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.util.List;

/// The account's money, in the payment token's smallest unit where nothing else is said.
///
/// @param account the account
/// @param balanceWei ether for gas, in wei
/// @param tokenSymbol the payment token's symbol
/// @param tokenDecimals digits behind its point
/// @param balance tokens in the account
/// @param staked tokens bonded as this provider's stake
/// @param unbonding tokens on their way out of the stake
/// @param escrowed tokens that this node's jobs have locked and not settled yet
/// @param earned tokens paid to this node for jobs
/// @param spent tokens paid by this node for jobs
/// @param transactions the newest transactions, newest first
public record WalletView(
    Address account,
    BigInteger balanceWei,
    String tokenSymbol,
    int tokenDecimals,
    TokenAmount balance,
    TokenAmount staked,
    TokenAmount unbonding,
    TokenAmount escrowed,
    TokenAmount earned,
    TokenAmount spent,
    List<TransactionView> transactions) {
  /// Copies the list.
  public WalletView {
    transactions = List.copyOf(transactions);
  }
}
