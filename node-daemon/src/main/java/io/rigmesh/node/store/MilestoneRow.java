package io.rigmesh.node.store;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// A part of a job that was reached, as it is on disk.
///
/// @param job the job's id
/// @param number which part, from 1
/// @param steps how many steps of the job it ends with
/// @param proof the hash of the receipt for these steps
/// @param price what that receipt asks for
/// @param amountDue the same without what the parts before it cost
/// @param output the root of what was delivered with it
/// @param reachedAt when it was
/// @param verdict what the requester found
/// @param reason why, where it found a fault
/// @param approval the requester's signature for its payment
/// @param delivered whether the provider is known to have that
/// @param paid whether its money has gone where it goes
public record MilestoneRow(
    Hash job,
    int number,
    long steps,
    Hash proof,
    TokenAmount price,
    TokenAmount amountDue,
    Hash output,
    Instant reachedAt,
    Verdict verdict,
    String reason,
    Optional<Signature> approval,
    boolean delivered,
    boolean paid) {
  /// What a requester found.
  public enum Verdict {
    /// It has not looked yet.
    OPEN,
    /// What was recomputed has the receipt's bits.
    EXACT,
    /// It has not.
    FALSE;

    String id() {
      return this == OPEN ? "" : name().toLowerCase(Locale.ROOT);
    }

    static Verdict of(String id) {
      return id.isEmpty() ? OPEN : valueOf(id.toUpperCase(Locale.ROOT));
    }
  }

  /// A part that was reached just now.
  ///
  /// @param before the part before it, where it is not the first
  public static MilestoneRow reached(
      Hash job,
      int number,
      long steps,
      Hash proof,
      TokenAmount price,
      Optional<MilestoneRow> before,
      Hash output,
      Instant at) {
    TokenAmount earlier = before.map(MilestoneRow::price).orElse(TokenAmount.ZERO);
    return new MilestoneRow(
        job,
        number,
        steps,
        proof,
        price,
        price.compareTo(earlier) > 0 ? price.minus(earlier) : TokenAmount.ZERO,
        output,
        at,
        Verdict.OPEN,
        "",
        Optional.empty(),
        false,
        false);
  }

  /// What the requester signs for its payment.
  public Approval approvalTo(Address provider) {
    return new Approval(job, provider, number, proof, amountDue);
  }
}
