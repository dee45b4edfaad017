package io.rigmesh.protocol;

/// A receipt and its provider's signature.
///
/// @param receipt the receipt
/// @param signature the signature over its EIP-712 digest
public record SignedReceipt(Receipt receipt, Signature signature) {
  /// True if the provider signed this receipt for that chain and contract.
  public boolean isSignedFor(Domain domain) {
    try {
      return signature.signer(receipt.typedData().digest(domain)).equals(receipt.provider());
    } catch (MalformedException e) {
      return false;
    }
  }
}
