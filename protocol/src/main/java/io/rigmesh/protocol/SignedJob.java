package io.rigmesh.protocol;

/// A job and its requester's signature.
///
/// @param job the job
/// @param signature the signature over its EIP-712 digest
public record SignedJob(Job job, Signature signature) {
  /// True if the requester signed this job for that chain and contract.
  public boolean isSignedFor(Domain domain) {
    try {
      return signature.signer(job.typedData().digest(domain)).equals(job.requester());
    } catch (MalformedException e) {
      return false;
    }
  }
}
