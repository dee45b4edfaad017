package io.rigmesh.protocol;

/// The EIP-712 domain of everything the market signs: one chain and one job escrow contract, so
/// that a signature for one chain or deployment says nothing on another.
///
/// @param chainId the chain's EIP-155 id, positive
/// @param verifyingContract the address of JobEscrow
public record Domain(long chainId, Address verifyingContract) {
  /// The domain's name.
  public static final String NAME = "RigMesh";

  /// The domain's version.
  public static final String VERSION = "1";

  /// Checks the range.
  public Domain {
    if (chainId <= 0) {
      throw new MalformedException("a chain id is positive, not " + chainId);
    }
  }
}
