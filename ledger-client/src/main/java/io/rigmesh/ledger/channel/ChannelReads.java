package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RevertedException;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.DynamicBytes;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.generated.Bytes32;
import org.web3j.protocol.core.RemoteFunctionCall;
import org.web3j.tx.gas.DefaultGasProvider;
import org.web3j.utils.Numeric;

/// What the channels' contract says, in this module's types. Safe for use by several threads.
public final class ChannelReads {
  private static final String NAME = "PaymentChannels";

  /// The largest value of 40 bits: closed, for ever.
  private static final BigInteger CLOSED = BigInteger.ONE.shiftLeft(40).subtract(BigInteger.ONE);

  /// What `isValidSignature` gives back where a contract takes a signature, in a word of 32 bytes.
  private static final String TAKEN = "1626ba7e" + "0".repeat(56);

  /// A signer's contract may use so much gas to look at a signature. Who hands the voucher in pays
  /// it, so one that wants more is as good as one that says no.
  private static final long SIGNER_GAS_MAX = 150_000;

  private final ChainRpc rpc;
  private final Address address;
  private final int confirmations;
  private final PaymentChannels contract;

  /// The contract at an address.
  ///
  /// @param confirmations how many blocks must hold what [#read] tells
  public ChannelReads(ChainRpc rpc, Address address, int confirmations) {
    this.rpc = rpc;
    this.address = address;
    this.confirmations = confirmations;
    this.contract =
        PaymentChannels.load(
            address.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  long challengeSeconds() {
    return ask(contract.challengeSeconds()).longValueExact();
  }

  int feeBasisPoints() {
    return ask(contract.feeBasisPoints()).intValueExact();
  }

  /// What an account could withdraw, in the newest block.
  public TokenAmount balance(Address account, Address token) {
    return new TokenAmount(ask(contract.balanceOf(account.hex(), token.hex())));
  }

  /// What a session key may do for a payer, in the newest block.
  public Session session(Address payer, Address key, Address token) {
    PaymentChannels.Session raw = ask(contract.sessionOf(payer.hex(), key.hex(), token.hex()));
    return new Session(
        new TokenAmount(raw.limit),
        new TokenAmount(raw.spent),
        Instant.ofEpochSecond(raw.expiresAt.longValueExact()));
  }

  /// The number of the payer's next word.
  public BigInteger nonce(Address payer) {
    return ask(contract.nonces(payer.hex()));
  }

  /// A channel as it was at the confirmation depth.
  ChannelContract.Reading read(ChannelTerms terms) {
    Call call = Call.of(address, contract.channelOf(terms.id().bytes()).encodeFunctionCall());
    try {
      long block = Math.max(0, rpc.head().number() - confirmations + 1);
      String answer = Numeric.cleanHexPrefix(rpc.callAt(Address.ZERO, call, block));
      // Before its own block the contract is not there and gives nothing back.
      return new ChannelContract.Reading(
          block, answer.isEmpty() ? Optional.empty() : channel(terms, answer));
    } catch (RpcRefusedException e) {
      throw new ChainUnavailableException(
          "The channel %s cannot be read: %s".formatted(terms.id(), e.getMessage()), e);
    }
  }

  /// Whether the contract of an account takes a signature over a digest now (EIP-1271). One that
  /// reverts, answers anything else, or wants more gas than [#SIGNER_GAS_MAX] does not.
  boolean takes(Address signer, Hash digest, WalletSignature signature) {
    Call call =
        Call.of(
            signer,
            FunctionEncoder.encode(
                new Function(
                    "isValidSignature",
                    List.of(new Bytes32(digest.bytes()), new DynamicBytes(signature.bytes())),
                    List.of())));
    return rpc.atOneEndpoint(() -> {
      long block = rpc.head().number();
      try {
        return Numeric.cleanHexPrefix(rpc.callAt(address, call, block, SIGNER_GAS_MAX))
            .startsWith(TAKEN);
      } catch (RevertedException | RpcRefusedException e) {
        return false;
      }
    });
  }

  private Optional<Channel> channel(ChannelTerms terms, String answer) {
    if (answer.length() != 3 * 64) {
      throw new LedgerException(
          "The contract at %s on the chain %d does not answer as %s does; check the deployment file."
              .formatted(address, rpc.chainId(), NAME));
    }
    BigInteger deposit = new BigInteger(answer.substring(0, 64), 16);
    BigInteger redeemed = new BigInteger(answer.substring(64, 128), 16);
    BigInteger closesAt = new BigInteger(answer.substring(128), 16);
    if (deposit.signum() == 0 && closesAt.signum() == 0) {
      return Optional.empty();
    }
    boolean closed = closesAt.equals(CLOSED);
    return Optional.of(
        new Channel(
            terms,
            new TokenAmount(deposit),
            new TokenAmount(redeemed),
            closed || closesAt.signum() == 0
                ? Optional.empty()
                : Optional.of(Instant.ofEpochSecond(closesAt.longValueExact())),
            closed));
  }

  private <T> T ask(RemoteFunctionCall<T> call) {
    return ContractReads.read(rpc, NAME, address, call);
  }
}
