package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.web3j.abi.FunctionReturnDecoder;
import org.web3j.abi.TypeReference;
import org.web3j.abi.datatypes.Type;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Turns the bytes that a contract reverts with into a sentence and a remedy. It knows the custom
/// errors of the committed ABIs, and Solidity's own Error(string) and Panic(uint256).
final class ContractErrors {
  static final List<String> CONTRACTS =
      List.of("DevToken", "ProviderRegistry", "JobEscrow", "PaymentChannels", "ReceiptLog");
  private static final String ERROR_STRING = "08c379a0";
  private static final String PANIC = "4e487b71";

  private final Map<String, CustomError> bySelector = new HashMap<>();

  ContractErrors() {
    JsonMapper json = JsonMapper.builder().build();
    for (String contract : CONTRACTS) {
      String resource = "/io/rigmesh/ledger/abi/" + contract + ".json";
      try (InputStream in = ContractErrors.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IllegalStateException("the build left out " + resource);
        }
        for (JsonNode entry : json.readTree(in)) {
          if (entry.path("type").stringValue("").equals("error")) {
            add(entry);
          }
        }
      } catch (IOException e) {
        throw new IllegalStateException("cannot read " + resource, e);
      }
    }
  }

  private void add(JsonNode entry) {
    String name = entry.path("name").stringValue("");
    List<String> types = new ArrayList<>();
    for (JsonNode input : entry.path("inputs")) {
      types.add(input.path("type").stringValue(""));
    }
    String signature = name + "(" + String.join(",", types) + ")";
    byte[] digest = Digests.keccak256(signature.getBytes(StandardCharsets.US_ASCII)).bytes();
    bySelector.put(
        HexFormat.of().formatHex(Arrays.copyOf(digest, 4)), new CustomError(name, types));
  }

  /// The exception for revert data.
  ///
  /// @param data what the contract gave, in hexadecimal with or without `0x`; empty if nothing
  RevertedException explain(String data) {
    String hex = data.startsWith("0x") ? data.substring(2) : data;
    if (hex.length() < 8) {
      return new RevertedException(
          "",
          "The contract refused without a reason; most often there is no contract at the address, or another one"
              + " than expected. Check the deployment file.");
    }
    String selector = hex.substring(0, 8);
    String arguments = hex.substring(8);
    if (selector.equals(ERROR_STRING)) {
      return new RevertedException(
          "Error", "The contract refused: " + decode(List.of("string"), arguments).get(0) + ".");
    }
    if (selector.equals(PANIC)) {
      return new RevertedException(
          "Panic",
          "The contract failed its own check, panic code "
              + decode(List.of("uint256"), arguments).get(0)
              + "; this is a defect of the contract, report it.");
    }
    CustomError error = bySelector.get(selector);
    if (error == null) {
      return new RevertedException(
          "", "The contract refused with an error that this version does not know: 0x" + hex + ".");
    }
    return new RevertedException(
        error.name(), sentence(error.name(), decode(error.types(), arguments)));
  }

  @SuppressWarnings("rawtypes")
  private static List<String> decode(List<String> types, String arguments) {
    try {
      List<TypeReference<Type>> references = new ArrayList<>();
      for (String type : types) {
        @SuppressWarnings("unchecked")
        TypeReference<Type> reference = TypeReference.makeTypeReference(type);
        references.add(reference);
      }
      List<String> values = new ArrayList<>();
      for (Type value : FunctionReturnDecoder.decode(arguments, references)) {
        values.add(
            value.getValue() instanceof byte[] bytes
                ? "0x" + HexFormat.of().formatHex(bytes)
                : String.valueOf(value.getValue()));
      }
      if (values.size() == types.size()) {
        return values;
      }
    } catch (ClassNotFoundException | RuntimeException e) {
      // The data comes from outside and may be anything; the name of the error still helps.
    }
    return types.stream().map(type -> "?").collect(Collectors.toList());
  }

  private static String sentence(String name, List<String> a) {
    return switch (name) {
      case "AcceptanceNotSigned" ->
          "The acceptance is not signed by the provider %s for these terms, this chain and contract."
              .formatted(a.get(0));
      case "AlreadyAnchored" ->
          "The account %s has anchored the root %s before, at %s."
              .formatted(a.get(0), a.get(1), time(a.get(2)));
      case "AmountTooLarge" ->
          "The amount %s is above what a channel can hold; choose a smaller one."
              .formatted(a.get(0));
      case "ApprovalNotSigned" ->
          "The approval is not signed by the requester %s for this milestone, root and amount."
              .formatted(a.get(0));
      case "AuthorisationNotSigned" ->
          "The authorisation is not signed by %s for its next number, this chain and contract; sign it again."
              .formatted(a.get(0));
      case "BalanceTooSmall" ->
          "The account %s has %s of %s in the channels' contract but needs %s; deposit the difference first."
              .formatted(a.get(0), a.get(2), token(a.get(1)), a.get(3));
      case "ChallengeOutOfRange" ->
          "A challenge time of %s seconds is not allowed; choose one from %s to %s."
              .formatted(a.get(0), a.get(1), a.get(2));
      case "ChannelClosing" ->
          "The channel %s is being closed, at %s; open another."
              .formatted(a.get(0), time(a.get(1)));
      case "ChannelIdUsed" ->
          "The channel %s exists or has existed; choose another salt.".formatted(a.get(0));
      case "ChannelNotOpen" ->
          "The channel %s was never opened, or it is closed; open one.".formatted(a.get(0));
      case "AddressEmptyCode" ->
          "There is no contract at %s on this chain; check the address.".formatted(a.get(0));
      case "ChallengeTimeRunning" ->
          "Until " + time(a.get(0)) + " only the requester may release this job; wait until then.";
      case "ChallengeTimeOver" ->
          "A dispute comes within the challenge time, which ended at " + time(a.get(0)) + ".";
      case "ChallengeTooLong" ->
          "A challenge time of %s seconds is above the longest allowed, %s; choose a shorter one."
              .formatted(a.get(0), a.get(1));
      case "DeadlineNotReached" ->
          "The provider has until %s to prove this job; ask for the refund after that."
              .formatted(time(a.get(0)));
      case "DeadlinePassed" ->
          "The deadline %s has passed (the block's time is %s); a requester can ask for a refund, a new job needs a"
                  .formatted(time(a.get(0)), time(a.get(1)))
              + " later deadline.";
      case "DeadlineTooFar" ->
          "The deadline %s is too far away; give unix seconds, not milliseconds."
              .formatted(a.get(0));
      case "DepositNotExact" ->
          "The token delivered %s instead of %s, so it charges fees on transfers; use a token that does not."
              .formatted(a.get(1), a.get(0));
      case "DisputeTimeOutOfRange" ->
          "A time to rule of %s seconds is none or above the longest allowed, %s; choose another."
              .formatted(a.get(0), a.get(1));
      case "DueExceedsAmount" ->
          "The provider asks for %s but only %s may be paid for this job so far; ask for at most that."
              .formatted(a.get(0), a.get(1));
      case "ECDSAInvalidSignature", "ECDSAInvalidSignatureLength", "ECDSAInvalidSignatureS" ->
          "The signature is malformed; sign again with a signer that gives r, s and v with a low s.";
      case "ERC20InsufficientAllowance" ->
          "The contract %s may take %s of this account's tokens but needs %s; approve that amount first."
              .formatted(a.get(0), a.get(1), a.get(2));
      case "ERC20InsufficientBalance" ->
          "The account %s holds %s of the token's smallest unit but needs %s; send it the difference first."
              .formatted(a.get(0), a.get(1), a.get(2));
      case "ERC2612ExpiredSignature" ->
          "The permit was signed for use until %s; sign a new one.".formatted(time(a.get(0)));
      case "ERC2612InvalidSigner" ->
          "The permit was signed by %s but the tokens are of %s; check the chain id and the token's address."
              .formatted(a.get(0), a.get(1));
      case "EtherNotExact" ->
          "%s of ether should be sent but %s was; send exactly what is named, and none for a token."
              .formatted(a.get(0), a.get(1));
      case "EtherRefused" ->
          "The account %s refused the ether; withdraw to another.".formatted(a.get(0));
      case "ExpiryOutOfRange" ->
          "The time %s is over or too far away (the block's time is %s); give unix seconds to come."
              .formatted(time(a.get(0)), time(a.get(1)));
      case "FeeRefused" ->
          "A fee of %s ten-thousandths is above the highest allowed, %s, or goes to nobody; choose another."
              .formatted(a.get(0), a.get(1));
      case "InvalidAccountNonce" ->
          "The account %s has used another number, its next is %s; sign again with that."
              .formatted(a.get(0), a.get(1));
      case "JobIdUsed" ->
          "The account %s has funded the job %s before; every job is funded once."
              .formatted(a.get(0), a.get(1));
      case "MilestonesOutOfRange" ->
          "A job has 1 to %s milestones, not %s.".formatted(a.get(1), a.get(0));
      case "NoReferee" -> "Nobody rules over disputes with this escrow; settle it between you.";
      case "NoSession" ->
          "The key %s may spend nothing of %s, or may no longer (until %s); the payer must authorise it."
              .formatted(a.get(1), a.get(0), time(a.get(2)));
      case "NotPayerOrSigner" ->
          "The account %s may not close this channel; its payer or signer may.".formatted(a.get(0));
      case "NotProvider" ->
          a.get(1).equals("0x0000000000000000000000000000000000000000")
              ? "There is no escrow for this job; the requester must fund it first."
              : "The account %s may not do this; the job is for the provider %s."
                  .formatted(a.get(0), a.get(1));
      case "NotReferee" -> "Only the referee may do this, and " + a.get(0) + " is not the referee.";
      case "NothingDeferred" -> "No deferred payment waits for " + a.get(0) + ".";
      case "NothingToRedeem" ->
          "The channel %s has paid %s already, and this voucher is for no more, or nothing is left in it."
              .formatted(a.get(0), a.get(1));
      case "NothingToSlash" -> "The provider " + a.get(0) + " has no stake.";
      case "NothingUnbonding" -> "No stake is unbonding; request it first, then wait.";
      case "PeerIdLength" -> "No peer id has %s bytes.".formatted(a.get(0));
      case "PeerSignatureLength" -> "No peer's signature has %s bytes.".formatted(a.get(0));
      case "PermitRefused" ->
          "The token refused the permit and the allowance %s does not cover %s; approve the amount and try again."
              .formatted(a.get(0), a.get(1));
      case "ReentrancyGuardReentrantCall" ->
          "The token called the contract back while it was paid, which is refused; use a token that does not.";
      case "ProofDiffers" ->
          "The milestone was proven with the root %s and %s due, and the approval is for another."
              .formatted(a.get(0), a.get(1));
      case "RulingTimeOver" ->
          "The referee had until %s; anybody can give the money back to the requester."
              .formatted(time(a.get(0)));
      case "RulingTimeRunning" ->
          "The referee has until %s; wait until then.".formatted(time(a.get(0)));
      case "SafeERC20FailedOperation" ->
          "The token " + a.get(0) + " refused the transfer; check the balance and the allowance.";
      case "SessionLimitExceeded" ->
          "This key may move %s more but needs %s; the payer must authorise it for more."
              .formatted(a.get(0), a.get(1));
      case "StakeTooLarge" -> "A stake of " + a.get(0) + " is above what the registry can hold.";
      case "StillUnbonding" ->
          "The stake can be withdrawn after " + time(a.get(0)) + "; wait until then.";
      case "TooEarlyToClose" ->
          a.get(1).equals("0")
              ? "Nobody has asked to close the channel %s; only its payee may close it at once."
                  .formatted(a.get(0))
              : "The channel %s can be closed after %s; wait until then."
                  .formatted(a.get(0), time(a.get(1)));
      case "TokenHasNoCode" ->
          "There is no contract at the token's address %s on this chain; check the address."
              .formatted(a.get(0));
      case "UnbondExceedsStake" ->
          "%s was asked back but only %s is bonded; ask for at most that."
              .formatted(a.get(0), a.get(1));
      case "UnbondingTooLong" ->
          "An unbonding time of %s seconds is above the longest allowed, %s; choose a shorter one."
              .formatted(a.get(0), a.get(1));
      case "VoucherNotSigned" ->
          "The voucher on the channel %s is not signed by %s for this chain and contract."
              .formatted(a.get(0), a.get(1));
      case "WrongMilestone" ->
          "Milestones are proven in order: %s comes next, not %s.".formatted(a.get(1), a.get(0));
      case "WrongMilestoneStatus" ->
          "The milestone %s is %s, and this is not possible from there."
              .formatted(a.get(0), milestoneStatus(a.get(1)));
      case "WrongStatus" ->
          "The escrow is %s, and this is not possible from there; look at it with its job id."
              .formatted(status(a.get(0)));
      case "ZeroAddress" -> "An account is missing: the zero address was given.";
      case "ZeroAmount" -> "An amount of zero cannot be moved; give at least 1.";
      case "ZeroBeneficiary" -> "The money needs an account to go to; none was given.";
      case "ZeroProofRoot" -> "A proof needs a root; none was given.";
      case "ZeroRoot" -> "The root of receipts is zero, which is none.";
      case "ZeroProvider" -> "The job names no provider account; choose one.";
      default -> "The contract refused with " + name + "(" + String.join(", ", a) + ").";
    };
  }

  private static String time(String unixSeconds) {
    try {
      return Instant.ofEpochSecond(new BigInteger(unixSeconds).longValueExact()).toString();
    } catch (ArithmeticException | NumberFormatException | DateTimeException e) {
      return unixSeconds;
    }
  }

  private static String token(String address) {
    return address.equals("0x0000000000000000000000000000000000000000")
        ? "ether"
        : "the token " + address;
  }

  private static String milestoneStatus(String ordinal) {
    return switch (ordinal) {
      case "0" -> "not proven";
      case "1" -> "proven";
      case "2" -> "disputed";
      case "3" -> "paid";
      default -> "in the unknown state " + ordinal;
    };
  }

  private static String status(String ordinal) {
    return switch (ordinal) {
      case "0" -> "not funded";
      case "1" -> "funded";
      case "2" -> "accepted";
      case "3" -> "proven";
      case "4" -> "released";
      case "5" -> "refunded";
      default -> "in the unknown state " + ordinal;
    };
  }

  private record CustomError(String name, List<String> types) {}
}
