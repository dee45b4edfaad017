package io.rigmesh.protocol;

/// A voucher and the signature of its channel's signer.
///
/// @param voucher the voucher
/// @param signature the signature over its EIP-712 digest: of the signer's key, or one that the
///   signer's contract takes
public record SignedVoucher(Voucher voucher, WalletSignature signature) {
  /// A voucher that a key signed.
  public SignedVoucher(Voucher voucher, Signature signature) {
    this(voucher, WalletSignature.of(signature));
  }

  /// Whose key signed this voucher for that chain and contract. A voucher that was signed for
  /// another chain or contract gives an account that nobody knows.
  ///
  /// @throws MalformedException if no public key fits the signature
  public Address signer(Domain domain) {
    return Signature.of(signature.bytes()).signer(voucher.typedData().digest(domain));
  }

  /// True if the key of `signer` signed this voucher for that chain and contract. Of a signer that
  /// is a contract, only the chain knows.
  public boolean isSignedBy(Address signer, Domain domain) {
    return signature.isOfKey(signer, voucher.typedData().digest(domain));
  }
}
