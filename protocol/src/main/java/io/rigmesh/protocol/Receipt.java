package io.rigmesh.protocol;

/// A provider's signed statement of what it computed for a job, checkable by anyone to the bit. Its
/// hash (SHA-256 of its canonical bytes) is what goes on chain as the proof root.
///
/// @param job the job's id
/// @param provider the account that did the work and signs
/// @param model the root of the model that was run, or of the folder that training started from
/// @param meter what was used
/// @param commitment the last link of the commitment chain
/// @param commitmentsRoot the Merkle root over all links
/// @param output the root of the output folder
/// @param device the device, in words
/// @param profile the arithmetic
/// @param startedAtSeconds Unix time
/// @param finishedAtSeconds Unix time
/// @param price what the provider asks, at most the job's limit
public record Receipt(
    Hash job,
    Address provider,
    Hash model,
    Meter meter,
    Hash commitment,
    Hash commitmentsRoot,
    Hash output,
    String device,
    Profile profile,
    long startedAtSeconds,
    long finishedAtSeconds,
    TokenAmount price) {

  /// The most bytes a receipt's canonical form has.
  public static final int BYTES_MAX = 1_024;

  static final StructType TYPE =
      StructType.parse(
          "Receipt(bytes32 job,address provider,bytes32 model,uint64 tokensIn,uint64 tokensOut,"
              + "uint64 steps,bytes32 commitment,bytes32 commitmentsRoot,bytes32 output,"
              + "string device,string profile,uint64 startedAt,uint64 finishedAt,uint256 price)");

  private static final String TAG = "rigmesh-receipt-v1";
  private static final int DEVICE_BYTES_MAX = 200;

  /// Checks what the types cannot.
  public Receipt {
    if (device.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > DEVICE_BYTES_MAX) {
      throw new MalformedException("device has at most " + DEVICE_BYTES_MAX + " bytes");
    }
    if (startedAtSeconds <= 0 || finishedAtSeconds < startedAtSeconds) {
      throw new MalformedException("a receipt starts at a positive time and finishes no earlier");
    }
  }

  /// The receipt's hash: SHA-256 of its canonical bytes.
  public Hash hash() {
    return Digests.sha256(canonicalBytes());
  }

  /// The one byte form that is hashed.
  public byte[] canonicalBytes() {
    return new CanonicalWriter(TAG)
        .hash(job)
        .address(provider)
        .hash(model)
        .u64(meter.tokensIn())
        .u64(meter.tokensOut())
        .u64(meter.steps())
        .hash(commitment)
        .hash(commitmentsRoot)
        .hash(output)
        .text(device)
        .text(profile.id())
        .u64(startedAtSeconds)
        .u64(finishedAtSeconds)
        .u256(price.units())
        .toBytes();
  }

  /// Reads canonical bytes back.
  ///
  /// @throws MalformedException if they are not the canonical form of a receipt
  public static Receipt fromCanonicalBytes(byte[] bytes) {
    CanonicalReader in = new CanonicalReader(bytes, TAG, BYTES_MAX);
    Receipt receipt =
        new Receipt(
            in.hash("job"),
            in.address("provider"),
            in.hash("model"),
            new Meter(in.u64("tokensIn"), in.u64("tokensOut"), in.u64("steps")),
            in.hash("commitment"),
            in.hash("commitmentsRoot"),
            in.hash("output"),
            in.text(DEVICE_BYTES_MAX, "device"),
            Profile.of(in.text(32, "profile")),
            in.u64("startedAt"),
            in.u64("finishedAt"),
            new TokenAmount(in.u256("price")));
    in.end();
    return receipt;
  }

  /// The typed data that the provider signs.
  public TypedData typedData() {
    return new TypedData(
        TYPE,
        job,
        provider,
        model,
        meter.tokensIn(),
        meter.tokensOut(),
        meter.steps(),
        commitment,
        commitmentsRoot,
        output,
        device,
        profile.id(),
        startedAtSeconds,
        finishedAtSeconds,
        price.units());
  }

  /// Signs this receipt for a chain and contract.
  ///
  /// @throws IllegalArgumentException if the key is not the provider's
  public SignedReceipt sign(AccountKey key, Domain domain) {
    if (!key.address().equals(provider)) {
      throw new IllegalArgumentException(
          "the key of " + key.address() + " cannot sign for " + provider);
    }
    return new SignedReceipt(this, key.sign(typedData().digest(domain)));
  }
}
