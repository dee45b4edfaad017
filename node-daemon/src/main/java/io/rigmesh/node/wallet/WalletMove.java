package io.rigmesh.node.wallet;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.channel.SignedWord;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.time.Instant;

/// A transaction that a person asks for. Each is done once under the id that it is given.
public sealed interface WalletMove {
  /// The word for it in keys of transactions.
  String verb();

  /// What it does, in words and amounts; the same at every repetition.
  String purpose(WalletContracts money);

  /// The call that does it.
  Call call(WalletContracts money);

  /// Tokens into the account's balance with the channels' contract.
  ///
  /// @param amount how much
  record Deposit(TokenAmount amount) implements WalletMove {
    @Override
    public String verb() {
      return "deposit";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "deposit %s with %s".formatted(amount, money.channels());
    }

    @Override
    public Call call(WalletContracts money) {
      return money.deposit(amount);
    }
  }

  /// Tokens out of that balance.
  ///
  /// @param amount how much
  /// @param to who gets them
  record Withdraw(TokenAmount amount, Address to) implements WalletMove {
    @Override
    public String verb() {
      return "withdraw";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "withdraw %s from %s to %s".formatted(amount, money.channels(), to);
    }

    @Override
    public Call call(WalletContracts money) {
      return money.withdraw(amount, to);
    }
  }

  /// Ether into that balance, for channels of ether.
  ///
  /// @param amount how much, in wei
  record DepositEther(TokenAmount amount) implements WalletMove {
    @Override
    public String verb() {
      return "deposit-ether";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "deposit %s wei with %s".formatted(amount, money.channels());
    }

    @Override
    public Call call(WalletContracts money) {
      return money.deposit(Address.ZERO, amount);
    }
  }

  /// Ether out of that balance.
  ///
  /// @param amount how much, in wei
  /// @param to who gets it
  record WithdrawEther(TokenAmount amount, Address to) implements WalletMove {
    @Override
    public String verb() {
      return "withdraw-ether";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "withdraw %s wei from %s to %s".formatted(amount, money.channels(), to);
    }

    @Override
    public Call call(WalletContracts money) {
      return money.withdraw(Address.ZERO, amount, to);
    }
  }

  /// Another account's word about a session key, handed in.
  ///
  /// @param word the word
  /// @param signature that account's over it
  record AuthoriseSigned(SessionKey word, WalletSignature signature) implements WalletMove {
    @Override
    public String verb() {
      return "authorise-signed";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "hand in the word of %s that %s may move %s into channels"
          .formatted(word.payer(), word.key(), word.limit());
    }

    @Override
    public Call call(WalletContracts money) {
      SignedWord.require(
          word, signature, new Domain(money.rpc().chainId(), money.channels()), money.reads());
      return money.authorise(word, signature);
    }
  }

  /// Another key may move so much of that balance into channels.
  ///
  /// @param key the key's account
  /// @param limit how much in all
  /// @param expiresAt until when; whole seconds
  record Authorise(Address key, TokenAmount limit, Instant expiresAt) implements WalletMove {
    @Override
    public String verb() {
      return "authorise";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "let %s move %s into channels until %s".formatted(key, limit, expiresAt);
    }

    @Override
    public Call call(WalletContracts money) {
      return money.authorise(key, limit, expiresAt);
    }
  }

  /// It may move nothing any more.
  ///
  /// @param key the key's account
  record Revoke(Address key) implements WalletMove {
    @Override
    public String verb() {
      return "revoke";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "let %s move nothing any more".formatted(key);
    }

    @Override
    public Call call(WalletContracts money) {
      return money.revoke(key);
    }
  }

  /// Tokens at stake.
  ///
  /// @param registry ProviderRegistry
  /// @param amount how much
  record Stake(Address registry, TokenAmount amount) implements WalletMove {
    @Override
    public String verb() {
      return "stake";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "stake %s with %s".formatted(amount, registry);
    }

    @Override
    public Call call(WalletContracts money) {
      return WalletContracts.stake(registry, amount);
    }
  }

  /// Stake asked back.
  ///
  /// @param registry ProviderRegistry
  /// @param amount how much
  record Unstake(Address registry, TokenAmount amount) implements WalletMove {
    @Override
    public String verb() {
      return "unstake";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "ask %s of stake back from %s".formatted(amount, registry);
    }

    @Override
    public Call call(WalletContracts money) {
      return WalletContracts.unstake(registry, amount);
    }
  }

  /// What the token had refused to pay to an account, asked for again.
  ///
  /// @param escrow JobEscrow, where it waits
  /// @param account who gets it
  record Collect(Address escrow, Address account) implements WalletMove {
    @Override
    public String verb() {
      return "collect";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "collect what waits for %s at %s".formatted(account, escrow);
    }

    @Override
    public Call call(WalletContracts money) {
      return WalletContracts.collect(escrow, account);
    }
  }

  /// Stake paid out whose unbonding time is over.
  ///
  /// @param registry ProviderRegistry
  record WithdrawStake(Address registry) implements WalletMove {
    @Override
    public String verb() {
      return "withdraw-stake";
    }

    @Override
    public String purpose(WalletContracts money) {
      return "withdraw unbonded stake from " + registry;
    }

    @Override
    public Call call(WalletContracts money) {
      return WalletContracts.withdrawStake(registry);
    }
  }
}
