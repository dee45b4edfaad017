package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.web3j.protocol.core.methods.response.Log;
import org.web3j.utils.Numeric;

/// One log of a contract, as the chain has it. Immutable.
public final class ChainLog {
  private final Place place;
  private final Address contract;
  private final List<Hash> topics;
  private final byte[] data;

  /// A log put together from its parts.
  ///
  /// @param topics the first is the hash of the event's signature, the others its indexed values
  /// @param data the values that are not indexed
  public ChainLog(Place place, Address contract, List<Hash> topics, byte[] data) {
    this.place = place;
    this.contract = contract;
    this.topics = List.copyOf(topics);
    this.data = data.clone();
  }

  /// Where it stands.
  public Place place() {
    return place;
  }

  /// The time of its block.
  public Instant at() {
    return place.at();
  }

  /// The contract that wrote it.
  public Address contract() {
    return contract;
  }

  /// The kind of the event, then its indexed values; at most four.
  public List<Hash> topics() {
    return topics;
  }

  /// A copy of the values that are not indexed.
  public byte[] data() {
    return data.clone();
  }

  /// True if it is of the event with this signature hash.
  public boolean isOf(Hash kind) {
    return !topics.isEmpty() && topics.get(0).equals(kind);
  }

  /// The same in web3j's form, for the generated wrappers that decode it.
  public Log web3j() {
    return new Log(
        false,
        Numeric.encodeQuantity(BigInteger.valueOf(place.logIndex())),
        "0x0",
        place.transaction().hex(),
        place.blockHash().hex(),
        Numeric.encodeQuantity(BigInteger.valueOf(place.blockNumber())),
        contract.hex(),
        Numeric.toHexString(data),
        "mined",
        topics.stream().map(Hash::hex).toList());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ChainLog that
        && place.equals(that.place)
        && contract.equals(that.contract)
        && topics.equals(that.topics)
        && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return Objects.hash(place, contract, topics, Arrays.hashCode(data));
  }

  @Override
  public String toString() {
    return "ChainLog[" + place + ", " + contract + "]";
  }
}
