package io.rigmesh.protocol;

/// An offer and its provider's signature.
///
/// @param offer the offer
/// @param signature the signature over its EIP-712 digest
public record SignedOffer(Offer offer, Signature signature) {
  /// True if the provider's account signed this offer for that chain and contract.
  public boolean isSignedFor(Domain domain) {
    try {
      return signature.signer(offer.typedData().digest(domain)).equals(offer.account());
    } catch (MalformedException e) {
      return false;
    }
  }
}
