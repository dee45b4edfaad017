package io.rigmesh.ledger.wallet;

import java.util.Arrays;

/// What moved tokens.
public enum WalletKind {
  /// Tokens came from an account.
  RECEIVED("received"),
  /// Tokens went to an account.
  SENT("sent"),
  /// Tokens were locked for a training job.
  ESCROW_LOCKED("escrow-locked"),
  /// The escrow paid this account for a job, or gave back what it had locked.
  ESCROW_PAID("escrow-paid"),
  /// Tokens were bonded as a provider's stake.
  STAKED("staked"),
  /// Stake came back.
  UNSTAKED("unstaked"),
  /// Tokens went into the account's balance in PaymentChannels.
  DEPOSITED("deposited"),
  /// The balance in PaymentChannels was paid out.
  WITHDRAWN("withdrawn"),
  /// A channel was opened with a part of the balance.
  CHANNEL_OPENED("channel-opened"),
  /// More of the balance was put into a channel.
  CHANNEL_TOPPED_UP("channel-topped-up"),
  /// A voucher of somebody's channel was paid out to the balance.
  CHANNEL_EARNED("channel-earned"),
  /// A voucher of one of this account's channels was paid out to its payee.
  CHANNEL_PAID("channel-paid"),
  /// The rest of a closed channel came back to the balance.
  CHANNEL_CLOSED("channel-closed");

  private final String id;

  WalletKind(String id) {
    this.id = id;
  }

  /// The word for it in files and tables.
  public String id() {
    return id;
  }

  static WalletKind of(String id) {
    return Arrays.stream(values()).filter(kind -> kind.id.equals(id)).findFirst().orElseThrow();
  }
}
