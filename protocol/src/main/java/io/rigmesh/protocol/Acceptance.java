package io.rigmesh.protocol;

import java.math.BigInteger;

/// A provider's word that it takes a job on at these terms. The requester hands it in with the
/// money, which saves the provider a transaction of its own.
///
/// @param job the job's id
/// @param requester the account that locks the money; the acceptance is worthless to any other
/// @param provider the account that takes the job on, and signs
/// @param amount what is locked
/// @param deadlineSeconds each proof must be in a block before this time, in unix seconds
/// @param milestones in how many parts the job is proven and paid, from 1 to [#MILESTONES_MAX]
public record Acceptance(
    Hash job,
    Address requester,
    Address provider,
    TokenAmount amount,
    long deadlineSeconds,
    int milestones) {
  /// The most parts that a job may be proven and paid in.
  public static final int MILESTONES_MAX = 64;

  static final StructType TYPE =
      StructType.parse(
          "Acceptance(bytes32 job,address requester,address provider,uint256 amount,uint64 deadline,uint8"
              + " milestones)");

  /// Checks the range of the milestones.
  public Acceptance {
    if (milestones < 1 || milestones > MILESTONES_MAX) {
      throw new MalformedException(
          "a job has 1 to " + MILESTONES_MAX + " milestones, not " + milestones);
    }
  }

  /// The typed data that the provider signs, for the domain of JobEscrow.
  public TypedData typedData() {
    return new TypedData(
        TYPE,
        job,
        requester,
        provider,
        amount.units(),
        deadlineSeconds,
        BigInteger.valueOf(milestones));
  }

  /// Signs this acceptance for a chain and contract.
  public Signature sign(AccountKey key, Domain domain) {
    return key.sign(typedData().digest(domain));
  }

  /// True if the provider signed this acceptance for that chain and contract.
  public boolean isSignedBy(Signature signature, Domain domain) {
    try {
      return signature.signer(typedData().digest(domain)).equals(provider);
    } catch (MalformedException e) {
      return false;
    }
  }
}
