package io.rigmesh.protocol;

/// A requester's word that a peer speaks for it in one job: may hand the job in, follow it, call it
/// off, and fetch what it made. A signed job alone says nothing about who sends it, since every
/// provider that it was shown to has a copy.
///
/// @param job the job's id
/// @param peer the peer's libp2p id, in base58
public record JobPass(Hash job, String peer) {
  static final StructType TYPE = StructType.parse("JobPass(bytes32 job,string peer)");

  private static final String TAG = "rigmesh-job-pass-v1";

  /// The pass's hash: SHA-256 of its canonical bytes.
  public Hash hash() {
    return Digests.sha256(canonicalBytes());
  }

  /// The one byte form that is hashed.
  public byte[] canonicalBytes() {
    return new CanonicalWriter(TAG).hash(job).text(peer).toBytes();
  }

  /// The typed data that the requester signs.
  public TypedData typedData() {
    return new TypedData(TYPE, job, peer);
  }

  /// Signs this pass for a chain and contract.
  public Signature sign(AccountKey key, Domain domain) {
    return key.sign(typedData().digest(domain));
  }

  /// True if `requester` signed this pass for that chain and contract.
  public boolean isSignedBy(Address requester, Signature signature, Domain domain) {
    try {
      return signature.signer(typedData().digest(domain)).equals(requester);
    } catch (MalformedException e) {
      return false;
    }
  }
}
