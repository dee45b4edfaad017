package io.rigmesh.protocol;

import java.util.Locale;

/// What a job asks for.
public enum JobKind {
  /// Train a language model on a text.
  TRAIN(Money.ESCROW),
  /// Continue a prompt.
  GENERATE(Money.CHANNEL),
  /// Turn sentences into vectors.
  EMBED(Money.CHANNEL);

  private final Money paidBy;

  JobKind(Money paidBy) {
    this.paidBy = paidBy;
  }

  /// What pays for a job.
  public enum Money {
    /// Money that is locked for this one job.
    ESCROW,
    /// A payment channel between requester and provider, voucher by voucher.
    CHANNEL
  }

  /// What pays for jobs of this kind.
  public Money paidBy() {
    return paidBy;
  }

  /// The name in jobs.
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The kind of that name.
  ///
  /// @throws MalformedException if there is none
  public static JobKind of(String id) {
    for (JobKind kind : values()) {
      if (kind.id().equals(id)) {
        return kind;
      }
    }
    throw new MalformedException("kind is one of train, generate, embed, not '" + id + "'");
  }
}
