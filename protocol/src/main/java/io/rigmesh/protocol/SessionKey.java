package io.rigmesh.protocol;

import java.math.BigInteger;

/// A payer's word that a key may move up to `limit` of its balance in PaymentChannels into
/// channels. Anybody may hand it in; the wallet that signs it sends nothing.
///
/// @param payer the account whose money it is, and that signs
/// @param key the account that may spend it
/// @param token the token that is meant; [Address#ZERO] is the chain's own coin
/// @param limit how much the key may move in all
/// @param expiresAtSeconds the key may act in blocks before this time, in unix seconds
/// @param nonce the payer's next number in the contract: each is used once
public record SessionKey(
    Address payer,
    Address key,
    Address token,
    TokenAmount limit,
    long expiresAtSeconds,
    BigInteger nonce) {
  static final StructType TYPE =
      StructType.parse(
          "SessionKey(address payer,address key,address token,uint256 limit,uint64 expiresAt,uint256"
              + " nonce)");

  /// The typed data that the payer signs, for the domain of PaymentChannels.
  public TypedData typedData() {
    return new TypedData(TYPE, payer, key, token, limit.units(), expiresAtSeconds, nonce);
  }

  /// Signs this word for a chain and contract.
  public Signature sign(AccountKey signer, Domain domain) {
    return signer.sign(typedData().digest(domain));
  }

  /// True if the payer signed this word for that chain and contract.
  public boolean isSignedBy(Signature signature, Domain domain) {
    try {
      return signature.signer(typedData().digest(domain)).equals(payer);
    } catch (MalformedException e) {
      return false;
    }
  }
}
