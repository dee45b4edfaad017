package io.rigmesh.protocol;

/// A voucher and the signature of its channel's signer.
///
/// @param voucher the voucher
/// @param signature the signature over its EIP-712 digest
public record SignedVoucher(Voucher voucher, Signature signature) {
  /// Who signed this voucher for that chain and contract. A voucher that was signed for another
  /// chain or contract gives an account that nobody knows.
  ///
  /// @throws MalformedException if no public key fits the signature
  public Address signer(Domain domain) {
    return signature.signer(voucher.typedData().digest(domain));
  }

  /// True if `signer` signed this voucher for that chain and contract.
  public boolean isSignedBy(Address signer, Domain domain) {
    try {
      return signer(domain).equals(signer);
    } catch (MalformedException e) {
      return false;
    }
  }
}
