package io.rigmesh.protocol;

import java.math.BigInteger;

/// A requester's word that a milestone of its job may be paid with this proof and amount. The
/// provider hands it in, which saves the requester a transaction of its own.
///
/// @param job the job's id
/// @param provider the account that is paid
/// @param milestone which part of the job, from 1
/// @param proofRoot what the milestone is held to
/// @param amountDue what it costs
public record Approval(
    Hash job, Address provider, int milestone, Hash proofRoot, TokenAmount amountDue) {
  static final StructType TYPE =
      StructType.parse(
          "Approval(bytes32 job,address provider,uint8 milestone,bytes32 proofRoot,uint256 amountDue)");

  /// Checks the range of the milestone.
  public Approval {
    if (milestone < 1 || milestone > Acceptance.MILESTONES_MAX) {
      throw new MalformedException(
          "a milestone is one of 1 to " + Acceptance.MILESTONES_MAX + ", not " + milestone);
    }
  }

  /// The typed data that the requester signs, for the domain of JobEscrow.
  public TypedData typedData() {
    return new TypedData(
        TYPE, job, provider, BigInteger.valueOf(milestone), proofRoot, amountDue.units());
  }

  /// Signs this approval for a chain and contract.
  public Signature sign(AccountKey key, Domain domain) {
    return key.sign(typedData().digest(domain));
  }

  /// True if `requester` signed this approval for that chain and contract.
  public boolean isSignedBy(Address requester, Signature signature, Domain domain) {
    try {
      return signature.signer(typedData().digest(domain)).equals(requester);
    } catch (MalformedException e) {
      return false;
    }
  }
}
