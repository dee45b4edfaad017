package io.rigmesh.ledger.dev;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.generated.DevToken;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.ledger.generated.ProviderRegistry;
import io.rigmesh.ledger.generated.ReceiptLog;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.generated.Uint16;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.abi.datatypes.generated.Uint64;

/// Puts the market's contracts on a development chain. Each is deployed once, whatever happens in
/// between: a second call on the same store finds what the first one did.
///
/// @param supply the whole supply of the development token; the sender's account holds it
/// @param unbonding how long stake stays at risk after it was asked back
/// @param challenge how long a requester may look at a proof before anybody may release the money,
///   and how long vouchers are taken after it was asked to close a channel; at least a minute
/// @param referee the contract that rules over disputes of jobs; zero where nobody does
/// @param ruling how long it has for that
public record DevDeployment(
    TokenAmount supply, Duration unbonding, Duration challenge, Address referee, Duration ruling) {
  /// Without a referee.
  public DevDeployment(TokenAmount supply, Duration unbonding, Duration challenge) {
    this(supply, unbonding, challenge, Address.ZERO, Duration.ZERO);
  }

  /// A million million dollars, a day and a minute.
  public static DevDeployment standard() {
    return new DevDeployment(
        new TokenAmount(BigInteger.TEN.pow(18)), Duration.ofDays(1), Duration.ofMinutes(1));
  }

  /// Deploys what is not deployed yet and waits until all of it is confirmed.
  public Deployment deploy(TransactionSender sender, Duration timeout) {
    Address holder = sender.account();
    Inclusion token =
        create(
            sender,
            "DevToken",
            "supply " + supply,
            DevToken.BINARY,
            List.of(address(holder), new Uint256(supply.units())),
            timeout);
    Address tokenAddress = created(token);
    Inclusion registry =
        create(
            sender,
            "ProviderRegistry",
            "token " + tokenAddress + ", unbonding " + unbonding,
            ProviderRegistry.BINARY,
            List.of(
                address(tokenAddress), new Uint64(unbonding.toSeconds()), address(Address.ZERO)),
            timeout);
    Inclusion escrow =
        create(
            sender,
            "JobEscrow",
            "token "
                + tokenAddress
                + ", challenge "
                + challenge
                + (referee.equals(Address.ZERO)
                    ? ", no referee"
                    : ", referee " + referee + ", ruling " + ruling)
                + ", no fee",
            JobEscrow.BINARY,
            List.of(
                address(tokenAddress),
                new Uint64(challenge.toSeconds()),
                new Uint64(ruling.toSeconds()),
                address(referee),
                new Uint16(0),
                address(Address.ZERO)),
            timeout);
    Inclusion channels =
        create(
            sender,
            "PaymentChannels",
            "challenge " + challenge + ", no fee",
            PaymentChannels.BINARY,
            List.of(new Uint64(challenge.toSeconds()), new Uint16(0), address(Address.ZERO)),
            timeout);
    Inclusion receipts =
        create(sender, "ReceiptLog", "nothing", ReceiptLog.BINARY, List.of(), timeout);
    return new Deployment(
        sender.rpc().chainId(),
        sender.rpc().genesisHash(),
        tokenAddress,
        created(registry),
        created(escrow),
        created(channels),
        created(receipts),
        token.blockNumber());
  }

  @SuppressWarnings("rawtypes") // Web3j's own list of constructor arguments.
  private static Inclusion create(
      TransactionSender sender,
      String contract,
      String parameters,
      String code,
      List<Type> arguments,
      Duration timeout) {
    return sender.send(
        "deploy:" + contract,
        "deploy " + contract + " with " + parameters,
        () -> Call.creation(code, FunctionEncoder.encodeConstructor(arguments)),
        timeout);
  }

  private static Address created(Inclusion inclusion) {
    return inclusion
        .contractCreated()
        .orElseThrow(() ->
            new LedgerException(
                "The transaction " + inclusion.transaction() + " created no contract."));
  }

  private static org.web3j.abi.datatypes.Address address(Address address) {
    return new org.web3j.abi.datatypes.Address(address.hex());
  }
}
