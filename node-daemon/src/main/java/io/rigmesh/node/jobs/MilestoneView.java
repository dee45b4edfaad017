package io.rigmesh.node.jobs;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.Locale;

/// A part of a job that was reached, which is proven and paid by itself.
///
/// @param number which part, from 1
/// @param steps how many steps of the job it ends with
/// @param proof the hash of the receipt for these steps
/// @param amountDue what it costs
/// @param state where it stands
public record MilestoneView(
    int number, long steps, Hash proof, TokenAmount amountDue, State state) {
  /// Where a part stands.
  public enum State {
    /// The provider has signed its receipt.
    REACHED,
    /// The requester has signed its approval.
    APPROVED,
    /// The requester holds that it is wrong.
    FALSE,
    /// Its money has gone where it goes.
    PAID;

    /// The name in JSON.
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
