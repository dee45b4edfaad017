package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.generated.ProviderRegistry;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import org.web3j.tuples.generated.Tuple2;
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

  /// The peer that an account bound, if the peer's key stands by it. What the chain keeps is a
  /// claim; a false one is none.
  ///
  /// @return the binary form of the peer's id
  public Optional<byte[]> peerOf(Address account, PeerKeys keys) {
    PeerBinding claim = claimOf(account);
    byte[] text = PeerBinding.text(rpc.chainId(), address, account);
    return claim.peerId().length > 0 && keys.isSigned(claim.peerId(), text, claim.signature())
        ? Optional.of(claim.peerId())
        : Optional.empty();
  }

  /// Binds a peer to the sender's account, in place of the one before, and waits until that is
  /// confirmed.
  ///
  /// @return empty where this very binding is there already and nothing was sent
  public Optional<Inclusion> bindPeer(PeerBinding binding) {
    String first = "bind-peer:" + HexFormat.of().formatHex(binding.peerId());
    if (!isOpen(first) && claimOf(sender.account()).equals(binding)) {
      return Optional.empty();
    }
    // A peer that was bound, replaced and is bound again takes another transaction.
    String key = first;
    for (int again = 2; isOver(key); again++) {
      key = first + ":" + again;
    }
    return Optional.of(
        sender.send(
            key,
            "bind the peer %s at %s".formatted(HexFormat.of().formatHex(binding.peerId()), address),
            () ->
                Call.of(
                    address,
                    contract.bindPeer(binding.peerId(), binding.signature()).encodeFunctionCall()),
            timeout));
  }

  private PeerBinding claimOf(Address account) {
    Tuple2<byte[], byte[]> raw =
        ContractReads.read(rpc, "ProviderRegistry", address, contract.peerOf(account.hex()));
    return new PeerBinding(raw.component1(), raw.component2());
  }

  private boolean isOpen(String key) {
    return sender.find(key).isPresent() && !isOver(key);
  }

  private boolean isOver(String key) {
    return sender
        .find(key)
        .map(intent ->
            switch (intent.state()) {
              case IntentState.Confirmed _, IntentState.Reverted _, IntentState.Displaced _ -> true;
              case IntentState.Planned _,
                  IntentState.Signed _,
                  IntentState.Mined _,
                  IntentState.Refused _ ->
                  false;
            })
        .orElse(false);
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
