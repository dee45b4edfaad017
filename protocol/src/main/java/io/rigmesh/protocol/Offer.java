package io.rigmesh.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// A provider's signed advert. It expires by itself; a higher sequence replaces a lower. An offer
/// without devices withdraws what its provider offered before.
///
/// @param peer the provider's libp2p peer id, in base58; empty while it has no network
/// @param addresses multiaddrs or URLs at which it is reached
/// @param account the account that is paid and signs
/// @param devices what it computes on
/// @param models what it computes and what that costs: an entry with the root zero is for any model
///   (a new one, or one that the requester hands over), one with a root for a model that is there
/// @param priceMinimum the least that any job costs
/// @param region where it says it is; may be empty
/// @param validUntilSeconds Unix time after which the offer is void
/// @param sequence counts this provider's offers upwards
public record Offer(
    String peer,
    List<String> addresses,
    Address account,
    List<Device> devices,
    List<Model> models,
    TokenAmount priceMinimum,
    String region,
    long validUntilSeconds,
    long sequence) {

  /// The most bytes an offer's canonical form has.
  public static final int BYTES_MAX = 32_768;

  private static final StructType DEVICE_TYPE =
      StructType.parse(
          "Device(string name,uint64 memoryBytes,string profile,uint64 megaflopsPerSecond,"
              + "uint64 megabytesPerSecond)");
  private static final StructType MODEL_TYPE =
      StructType.parse(
          "Model(bytes32 root,string name,string kind,uint256 priceIn,uint256 priceOut)");

  static final StructType TYPE =
      StructType.parse(
          "Offer(string peer,string[] addresses,address account,Device[] devices,Model[] models,"
              + "uint256 priceMinimum,string region,uint64 validUntil,uint64 sequence)",
          DEVICE_TYPE,
          MODEL_TYPE);

  private static final String TAG = "rigmesh-offer-v1";

  /// The most addresses, devices or models of an offer.
  public static final int LIST_MAX = 64;

  private static final int TEXT_MAX = 256;

  /// Copies what could change.
  public Offer {
    addresses = List.copyOf(addresses);
    devices = List.copyOf(devices);
    models = List.copyOf(models);
  }

  /// One device, with what was measured on it.
  ///
  /// @param name the device, in words
  /// @param memoryBytes its memory
  /// @param profile the arithmetic that the speeds are for
  /// @param megaflopsPerSecond measured, millions of floating-point operations per second
  /// @param megabytesPerSecond measured, millions of bytes read per second
  public record Device(
      String name,
      long memoryBytes,
      Profile profile,
      long megaflopsPerSecond,
      long megabytesPerSecond) {}

  /// One kind of work on one model.
  ///
  /// @param root the model folder's root; zero for any model
  /// @param name the model, in words
  /// @param kind what it is offered for
  /// @param priceIn per million tokens read
  /// @param priceOut per million tokens made
  public record Model(
      Hash root, String name, JobKind kind, TokenAmount priceIn, TokenAmount priceOut) {}

  /// True if this takes back what its provider offered before.
  public boolean isWithdrawal() {
    return devices.isEmpty();
  }

  /// Signs this offer for a chain and contract.
  ///
  /// @throws IllegalArgumentException if the key is not the provider's
  public SignedOffer sign(AccountKey key, Domain domain) {
    if (!key.address().equals(account)) {
      throw new IllegalArgumentException(
          "the key of " + key.address() + " cannot sign for " + account);
    }
    return new SignedOffer(this, key.sign(typedData().digest(domain)));
  }

  /// The offer's hash: SHA-256 of its canonical bytes.
  public Hash hash() {
    return Digests.sha256(canonicalBytes());
  }

  /// The one byte form that is hashed.
  public byte[] canonicalBytes() {
    CanonicalWriter out = new CanonicalWriter(TAG).text(peer).u32(addresses.size());
    addresses.forEach(out::text);
    out.address(account).u32(devices.size());
    devices.forEach(d ->
        out.text(d.name)
            .u64(d.memoryBytes)
            .text(d.profile.id())
            .u64(d.megaflopsPerSecond)
            .u64(d.megabytesPerSecond));
    out.u32(models.size());
    models.forEach(m ->
        out.hash(m.root)
            .text(m.name)
            .text(m.kind.id())
            .u256(m.priceIn.units())
            .u256(m.priceOut.units()));
    return out.u256(priceMinimum.units())
        .text(region)
        .u64(validUntilSeconds)
        .u64(sequence)
        .toBytes();
  }

  /// Reads canonical bytes back.
  ///
  /// @throws MalformedException if they are not the canonical form of an offer
  public static Offer fromCanonicalBytes(byte[] bytes) {
    CanonicalReader in = new CanonicalReader(bytes, TAG, BYTES_MAX);
    Offer offer =
        new Offer(
            in.text(128, "peer"),
            list(in, "addresses", () -> in.text(TEXT_MAX, "address")),
            in.address("account"),
            list(
                in,
                "devices",
                () ->
                    new Device(
                        in.text(TEXT_MAX, "device name"),
                        in.u64("memoryBytes"),
                        Profile.of(in.text(32, "profile")),
                        in.u64("megaflopsPerSecond"),
                        in.u64("megabytesPerSecond"))),
            list(
                in,
                "models",
                () ->
                    new Model(
                        in.hash("model root"),
                        in.text(TEXT_MAX, "model name"),
                        JobKind.of(in.text(16, "model kind")),
                        new TokenAmount(in.u256("priceIn")),
                        new TokenAmount(in.u256("priceOut")))),
            new TokenAmount(in.u256("priceMinimum")),
            in.text(TEXT_MAX, "region"),
            in.u64("validUntil"),
            in.u64("sequence"));
    in.end();
    return offer;
  }

  private static <T> List<T> list(CanonicalReader in, String field, Supplier<T> element) {
    int count = in.count(LIST_MAX, field);
    List<T> list = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      list.add(element.get());
    }
    return list;
  }

  /// The typed data that the provider signs.
  public TypedData typedData() {
    return new TypedData(
        TYPE,
        peer,
        addresses,
        account,
        devices.stream()
            .map(d ->
                new TypedData(
                    DEVICE_TYPE,
                    d.name,
                    d.memoryBytes,
                    d.profile.id(),
                    d.megaflopsPerSecond,
                    d.megabytesPerSecond))
            .toList(),
        models.stream()
            .map(m ->
                new TypedData(
                    MODEL_TYPE, m.root, m.name, m.kind.id(), m.priceIn.units(), m.priceOut.units()))
            .toList(),
        priceMinimum.units(),
        region,
        validUntilSeconds,
        sequence);
  }
}
