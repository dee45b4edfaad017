package io.rigmesh.protocol;

import java.util.Locale;

/// Where a job stands. The whole state machine is in this file: the states, and which may follow
/// which. docs/protocol.md draws it. A transition is on disk before its effects leave the process.
public sealed interface JobState {
  /// Written down, not signed yet.
  record Draft() implements JobState {}

  /// Signed by its requester.
  record Signed() implements JobState {}

  /// A provider was chosen.
  record Matched() implements JobState {}

  /// The escrow or channel that pays for it exists.
  record Funded() implements JobState {}

  /// The provider computes it.
  record Running() implements JobState {}

  /// Done; the receipt is signed.
  record Completed() implements JobState {}

  /// Paid. The end.
  record Settled() implements JobState {}

  /// Not taken. The end.
  ///
  /// @param refusal why
  record Refused(Refusal refusal) implements JobState {}

  /// Called off by its requester or its provider's operator. The end.
  record Cancelled() implements JobState {}

  /// Its deadline passed before it was done. The end.
  record Expired() implements JobState {}

  /// It could not be computed. The end.
  ///
  /// @param reason what went wrong and what would help
  record Failed(String reason) implements JobState {}

  /// The requester holds that the result is wrong.
  ///
  /// @param reason the first difference found
  record Disputed(String reason) implements JobState {}

  /// True if `next` may follow this state.
  default boolean canBecome(JobState next) {
    return switch (this) {
      case Draft _ -> next instanceof Signed || isAbandoned(next);
      case Signed _ -> next instanceof Matched || isAbandoned(next);
      case Matched _ -> next instanceof Funded || isAbandoned(next) || next instanceof Failed;
      case Funded _ -> next instanceof Running || isAbandoned(next) || next instanceof Failed;
      case Running _ ->
          next instanceof Completed
              // A milestone was found to be wrong.
              || next instanceof Disputed
              || next instanceof Cancelled
              || next instanceof Expired
              || next instanceof Failed;
      case Completed _ ->
          next instanceof Settled || next instanceof Disputed || next instanceof Expired;
      // A dispute ends with payment or without it.
      case Disputed _ -> next instanceof Settled || next instanceof Failed;
      case Settled _, Refused _, Cancelled _, Expired _, Failed _ -> false;
    };
  }

  /// This state's follower.
  ///
  /// @throws IllegalStateException if `next` may not follow
  default JobState become(JobState next) {
    if (!canBecome(next)) {
      throw new IllegalStateException("a job that is " + id() + " cannot become " + next.id());
    }
    return next;
  }

  /// True if nothing follows.
  default boolean isFinal() {
    return switch (this) {
      case Settled _, Refused _, Cancelled _, Expired _, Failed _ -> true;
      case Draft _, Signed _, Matched _, Funded _, Running _, Completed _, Disputed _ -> false;
    };
  }

  /// The name in JSON and in the store.
  default String id() {
    return getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }

  private static boolean isAbandoned(JobState next) {
    return next instanceof Refused || next instanceof Cancelled || next instanceof Expired;
  }
}
