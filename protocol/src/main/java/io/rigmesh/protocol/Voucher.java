package io.rigmesh.protocol;

/// A requester's signed promise on a payment channel. The amount is cumulative, so that a lost
/// voucher costs nothing.
///
/// @param channel the channel's id
/// @param amount all that the channel owes so far
/// @param receiptsRoot the Merkle root of the receipts that the channel has paid in full so far
public record Voucher(Hash channel, TokenAmount amount, Hash receiptsRoot) {
  static final StructType TYPE =
      StructType.parse("Voucher(bytes32 channel,uint256 amount,bytes32 receiptsRoot)");

  private static final String TAG = "rigmesh-voucher-v1";
  private static final int BYTES_MAX = 256;

  /// The voucher's hash: SHA-256 of its canonical bytes.
  public Hash hash() {
    return Digests.sha256(canonicalBytes());
  }

  /// The one byte form that is hashed.
  public byte[] canonicalBytes() {
    return new CanonicalWriter(TAG).hash(channel).u256(amount.units()).hash(receiptsRoot).toBytes();
  }

  /// Reads canonical bytes back.
  ///
  /// @throws MalformedException if they are not the canonical form of a voucher
  public static Voucher fromCanonicalBytes(byte[] bytes) {
    CanonicalReader in = new CanonicalReader(bytes, TAG, BYTES_MAX);
    Voucher voucher =
        new Voucher(
            in.hash("channel"), new TokenAmount(in.u256("amount")), in.hash("receiptsRoot"));
    in.end();
    return voucher;
  }

  /// The typed data that the requester signs.
  public TypedData typedData() {
    return new TypedData(TYPE, channel, amount.units(), receiptsRoot);
  }
}
