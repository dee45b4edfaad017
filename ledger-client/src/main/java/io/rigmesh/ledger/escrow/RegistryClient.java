package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.generated.ProviderRegistry;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.web3j.tuples.generated.Tuple3;
import org.web3j.tx.gas.DefaultGasProvider;

/// The stake of providers. Every change takes an occasion, a name for ever: the same occasion
/// happens once. Safe for use by several threads.
public final class RegistryClient {
  private final TransactionSender sender;
  private final ChainRpc rpc;
  private final TokenClient token;
  private final Address address;
  private final Duration timeout;
  private final ProviderRegistry contract;

  /// The registry, with the sender's account as the provider.
  ///
  /// @param timeout how long a transaction may take to be confirmed before the caller hears that it
  ///   is pending
  public RegistryClient(
      TransactionSender sender, TokenClient token, Address registry, Duration timeout) {
    this.sender = sender;
    this.rpc = sender.rpc();
    this.token = token;
    this.address = registry;
    this.timeout = timeout;
    this.contract =
        ProviderRegistry.load(
            registry.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// The registry's contract.
  public Address address() {
    return address;
  }

  /// What a provider has at stake.
  public Stake stakeOf(Address provider) {
    Tuple3<BigInteger, BigInteger, BigInteger> stake =
        ContractReads.read(rpc, "ProviderRegistry", address, contract.stakeOf(provider.hex()));
    long withdrawableAt = stake.component3().longValueExact();
    return new Stake(
        new TokenAmount(stake.component1()),
        new TokenAmount(stake.component2()),
        withdrawableAt == 0
            ? Optional.empty()
            : Optional.of(Instant.ofEpochSecond(withdrawableAt)));
  }

  /// Adds to the stake and waits until that is confirmed.
  public Inclusion stake(TokenAmount amount, String occasion) {
    return token.spend(
        "stake:" + occasion,
        "stake %s with %s".formatted(amount, address),
        address,
        amount,
        () -> Call.of(address, contract.stake(amount.units()).encodeFunctionCall()),
        permit ->
            Call.of(
                address,
                contract
                    .stakeWithPermit(
                        amount.units(),
                        permit.deadlineSeconds(),
                        permit.v(),
                        permit.signature().r(),
                        permit.signature().s())
                    .encodeFunctionCall()));
  }

  /// Asks stake back; it can be withdrawn after the unbonding time.
  public Inclusion requestUnbond(TokenAmount amount, String occasion) {
    return sender.send(
        "unbond:" + occasion,
        "ask %s of stake back from %s".formatted(amount, address),
        () -> Call.of(address, contract.requestUnbond(amount.units()).encodeFunctionCall()),
        timeout);
  }

  /// Withdraws what has been unbonding for long enough.
  public Inclusion withdraw(String occasion) {
    return sender.send(
        "withdraw:" + occasion,
        "withdraw unbonded stake from %s".formatted(address),
        () -> Call.of(address, contract.withdraw().encodeFunctionCall()),
        timeout);
  }
}
