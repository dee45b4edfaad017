package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.channel.ChannelReads;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.FunctionReturnDecoder;
import org.web3j.abi.TypeReference;
import org.web3j.abi.datatypes.DynamicBytes;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.Utf8String;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.abi.datatypes.generated.Uint64;
import org.web3j.abi.datatypes.generated.Uint96;

/// The token and PaymentChannels as a wallet uses them: what is asked of them, and the calls that
/// it sends. Safe for use by several threads.
///
/// @param rpc asks the chain
/// @param token the payment token
/// @param channels PaymentChannels
public record WalletContracts(ChainRpc rpc, Address token, Address channels) {
  /// The token's symbol.
  public String symbol() {
    return read(token, "symbol", List.of(), new TypeReference<Utf8String>() {}, head()).getValue();
  }

  /// The digits behind the token's point.
  public int decimals() {
    return number(token, "decimals", List.of(), head()).intValueExact();
  }

  /// What an account holds after a block, which endpoints know of the newest ones.
  public TokenAmount balance(Address account, long block) {
    return new TokenAmount(number(token, "balanceOf", List.of(word(account)), block));
  }

  /// What a contract may take of an account's tokens.
  public BigInteger allowance(Address account, Address spender) {
    return number(token, "allowance", List.of(word(account), word(spender)), head());
  }

  /// The account's balance in PaymentChannels.
  public TokenAmount channelBalance(Address account) {
    return new TokenAmount(
        number(channels, "balanceOf", List.of(word(account), word(token)), head()));
  }

  /// The treasury's part of what is redeemed, in ten-thousandths.
  public int feeBasisPoints() {
    return number(channels, "feeBasisPoints", List.of(), head()).intValueExact();
  }

  /// PaymentChannels as it is read.
  public ChannelReads reads() {
    return new ChannelReads(rpc, channels, 1);
  }

  /// Lets a contract take tokens.
  public Call approve(Address spender, TokenAmount amount) {
    return call(token, "approve", List.of(word(spender), new Uint256(amount.units())));
  }

  /// Puts tokens that PaymentChannels may take into the account's balance.
  public Call deposit(TokenAmount amount) {
    return deposit(token, amount);
  }

  /// Pays the account's balance of tokens out.
  public Call withdraw(TokenAmount amount, Address to) {
    return withdraw(token, amount, to);
  }

  /// Puts tokens that PaymentChannels may take, or ether, into the account's balance.
  ///
  /// @param of the token, or [Address#ZERO]
  public Call deposit(Address of, TokenAmount amount) {
    Call call = call(channels, "deposit", List.of(word(of), new Uint256(amount.units())));
    return of.equals(Address.ZERO) ? Call.of(call.recipient(), call.data(), amount.units()) : call;
  }

  /// Pays the account's balance out.
  ///
  /// @param of the token, or [Address#ZERO]
  public Call withdraw(Address of, TokenAmount amount, Address to) {
    return call(channels, "withdraw", List.of(word(of), new Uint256(amount.units()), word(to)));
  }

  /// Hands in a payer's word about a session key.
  public Call authorise(SessionKey word, WalletSignature signature) {
    return call(
        channels,
        "authoriseBySignature",
        List.of(
            word(word.payer()),
            word(word.key()),
            word(word.token()),
            new Uint96(word.limit().units()),
            new Uint64(BigInteger.valueOf(word.expiresAtSeconds())),
            new DynamicBytes(signature.bytes())));
  }

  /// Adds tokens that a ProviderRegistry may take to the account's stake.
  public static Call stake(Address registry, TokenAmount amount) {
    return call(registry, "stake", List.of(new Uint256(amount.units())));
  }

  /// Asks stake back.
  public static Call unstake(Address registry, TokenAmount amount) {
    return call(registry, "requestUnbond", List.of(new Uint256(amount.units())));
  }

  /// Pays out what the token had refused to pay to an account of a JobEscrow.
  public static Call collect(Address escrow, Address account) {
    return call(escrow, "collect", List.of(word(account)));
  }

  /// Pays out what was asked back for long enough.
  public static Call withdrawStake(Address registry) {
    return call(registry, "withdraw", List.of());
  }

  /// Lets a session key move some of the balance into channels.
  public Call authorise(Address key, TokenAmount limit, Instant expiresAt) {
    return call(
        channels,
        "authorise",
        List.of(
            word(key),
            word(token),
            new Uint96(limit.units()),
            new Uint64(BigInteger.valueOf(expiresAt.getEpochSecond()))));
  }

  /// Lets a session key move nothing any more.
  public Call revoke(Address key) {
    return call(channels, "revoke", List.of(word(key), word(token)));
  }

  private long head() {
    return rpc.head().number();
  }

  private BigInteger number(
      Address contract,
      String name,
      @SuppressWarnings("rawtypes") List<Type> arguments,
      long block) {
    return read(contract, name, arguments, new TypeReference<Uint256>() {}, block).getValue();
  }

  @SuppressWarnings("rawtypes") // Web3j's own list of arguments.
  private <T extends Type> T read(
      Address contract, String name, List<Type> arguments, TypeReference<T> result, long block) {
    Function function = new Function(name, arguments, List.of(result));
    String answer =
        rpc.callAt(Address.ZERO, Call.of(contract, FunctionEncoder.encode(function)), block);
    List<Type> values = FunctionReturnDecoder.decode(answer, function.getOutputParameters());
    if (values.isEmpty()) {
      throw new LedgerException(
          "The contract at %s on the chain %d does not know %s; check the deployment file."
              .formatted(contract, rpc.chainId(), name));
    }
    @SuppressWarnings("unchecked")
    T value = (T) values.get(0);
    return value;
  }

  @SuppressWarnings("rawtypes") // Web3j's own list of arguments.
  private static Call call(Address contract, String name, List<Type> arguments) {
    return Call.of(contract, FunctionEncoder.encode(new Function(name, arguments, List.of())));
  }

  private static org.web3j.abi.datatypes.Address word(Address address) {
    return new org.web3j.abi.datatypes.Address(address.hex());
  }
}
