package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Address;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.web3j.utils.Numeric;

/// What a transaction does: to whom, with which data, with how much of the chain's coin. Immutable.
public final class Call {
  private final Optional<Address> recipient;
  private final byte[] data;
  private final BigInteger valueWei;

  private Call(Optional<Address> recipient, byte[] data, BigInteger valueWei) {
    this.recipient = recipient;
    this.data = data.clone();
    this.valueWei = valueWei;
  }

  /// A call of a contract without ether.
  ///
  /// @param data the encoded function and its arguments, in hexadecimal
  public static Call of(Address contract, String data) {
    return new Call(Optional.of(contract), Numeric.hexStringToByteArray(data), BigInteger.ZERO);
  }

  /// The creation of a contract.
  ///
  /// @param code the creation bytecode, in hexadecimal
  /// @param arguments the encoded arguments of the constructor, in hexadecimal without `0x`
  public static Call creation(String code, String arguments) {
    return new Call(
        Optional.empty(), Numeric.hexStringToByteArray(code + arguments), BigInteger.ZERO);
  }

  /// A payment of ether.
  public static Call payment(Address recipient, BigInteger valueWei) {
    return new Call(Optional.of(recipient), new byte[0], valueWei);
  }

  /// A call put together again from its parts.
  public static Call of(Optional<Address> recipient, byte[] data, BigInteger valueWei) {
    return new Call(recipient, data, valueWei);
  }

  /// Who is called; empty for the creation of a contract.
  public Optional<Address> recipient() {
    return recipient;
  }

  /// A copy of the data.
  public byte[] data() {
    return data.clone();
  }

  /// The data in hexadecimal with `0x`.
  public String dataHex() {
    return Numeric.toHexString(data);
  }

  /// Ether sent along, in wei.
  public BigInteger valueWei() {
    return valueWei;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Call that
        && recipient.equals(that.recipient)
        && Arrays.equals(data, that.data)
        && valueWei.equals(that.valueWei);
  }

  @Override
  public int hashCode() {
    return Objects.hash(recipient, Arrays.hashCode(data), valueWei);
  }

  @Override
  public String toString() {
    return "Call[" + recipient.map(Address::hex).orElse("create") + ", " + data.length + " bytes]";
  }
}
