package io.rigmesh.protocol;

import java.math.BigInteger;
import java.util.Optional;

/// The checks that need nothing but the job: form, size, signature, time, and whether its nonce is
/// new. Each failure has its own code and sentence.
public final class JobCheck {
  /// The most bytes a signed job has as JSON.
  public static final int JSON_BYTES_MAX = 16_384;

  /// The furthest a deadline may lie ahead: 30 days.
  public static final long DEADLINE_AHEAD_SECONDS_MAX = 30L * 24 * 3600;

  private final Domain domain;
  private final Nonces nonces;

  /// Checks for one chain and contract.
  public JobCheck(Domain domain, Nonces nonces) {
    this.domain = domain;
    this.nonces = nonces;
  }

  /// The nonces seen so far.
  @FunctionalInterface
  public interface Nonces {
    /// The job for which `requester` used `nonce` before, if any.
    Optional<Hash> jobOf(Address requester, BigInteger nonce);
  }

  /// What came out.
  public sealed interface Result {}

  /// The job may go on to admission.
  ///
  /// @param job the job
  /// @param known true if this very job was sent before: answer as then, do not run it twice
  public record Passed(SignedJob job, boolean known) implements Result {}

  /// The job is not taken.
  ///
  /// @param refusal why
  public record Failed(Refusal refusal) implements Result {}

  /// Checks a signed job as JSON.
  ///
  /// @param nowSeconds Unix time
  public Result check(byte[] json, long nowSeconds) {
    if (json.length > JSON_BYTES_MAX) {
      return fail(
          RefusalCode.TOO_LARGE,
          "a signed job has at most "
              + JSON_BYTES_MAX
              + " bytes, this one "
              + json.length
              + "; send the input as a blob and name its root");
    }
    try {
      return check(ProtocolJson.readSignedJob(json), nowSeconds);
    } catch (MalformedException e) {
      return fail(RefusalCode.MALFORMED, e.sentence());
    }
  }

  /// Checks a signed job.
  ///
  /// @param nowSeconds Unix time
  public Result check(SignedJob signed, long nowSeconds) {
    Job job = signed.job();
    if (!signed.isSignedFor(domain)) {
      return fail(
          RefusalCode.BAD_SIGNATURE,
          "the signature is not that of requester "
              + job.requester()
              + " for chain "
              + domain.chainId()
              + " and contract "
              + domain.verifyingContract()
              + "; sign the EIP-712 typed data of exactly this job");
    }
    Optional<Hash> before = nonces.jobOf(job.requester(), job.nonce());
    if (before.isPresent() && before.get().equals(job.id())) {
      return new Passed(signed, true);
    }
    if (before.isPresent()) {
      return fail(
          RefusalCode.REPLAYED,
          "requester "
              + job.requester()
              + " has used nonce "
              + job.nonce()
              + " for job "
              + before.get()
              + "; sign again with a new nonce");
    }
    if (job.deadlineSeconds() <= nowSeconds) {
      return fail(
          RefusalCode.EXPIRED,
          "the deadline passed "
              + (nowSeconds - job.deadlineSeconds())
              + " seconds ago; sign again with a later one");
    }
    if (job.deadlineSeconds() - nowSeconds > DEADLINE_AHEAD_SECONDS_MAX) {
      return fail(
          RefusalCode.MALFORMED,
          "the deadline lies more than 30 days ahead; is it in seconds, not milliseconds?");
    }
    return new Passed(signed, false);
  }

  private static Result fail(RefusalCode code, String sentence) {
    return new Failed(new Refusal(code, sentence));
  }
}
