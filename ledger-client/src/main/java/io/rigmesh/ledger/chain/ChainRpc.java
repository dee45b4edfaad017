package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.web3j.protocol.Web3j;
import org.web3j.protocol.core.DefaultBlockParameter;
import org.web3j.protocol.core.DefaultBlockParameterName;
import org.web3j.protocol.core.Request;
import org.web3j.protocol.core.Response;
import org.web3j.protocol.core.methods.request.Transaction;
import org.web3j.protocol.core.methods.response.EthBlock;
import org.web3j.protocol.core.methods.response.EthLog;
import org.web3j.protocol.core.methods.response.Log;
import org.web3j.protocol.core.methods.response.TransactionReceipt;
import org.web3j.utils.Numeric;

/// Everything that RigMesh asks a chain, in its own types, over endpoints that stand in for each
/// other. Safe for use by several threads; every method blocks for at most the request timeout
/// times the number of endpoints.
///
/// Every method throws [ChainUnavailableException] where no endpoint answers, and
/// [RpcRefusedException] where one answers with an error.
public final class ChainRpc implements AutoCloseable {
  private static final String GET_BLOCK = "eth_getBlockByNumber";
  private static final String GET_LOGS = "eth_getLogs";

  /// How the code of a key's account that points to a contract's begins (EIP-7702).
  private static final String DELEGATION = "0xef0100";

  private static final Pattern REVERT_DATA = Pattern.compile("0x[0-9a-fA-F]*");

  private final RpcSettings settings;
  private final RpcEndpoints endpoints;
  private final Web3j web3j;
  private final ContractErrors errors = new ContractErrors();

  private ChainRpc(RpcSettings settings) {
    this.settings = settings;
    this.endpoints = new RpcEndpoints(settings);
    this.web3j = Web3j.build(endpoints);
  }

  /// Opens a chain and checks that every endpoint that answers serves the configured one.
  ///
  /// @throws ChainMismatchException if one serves another chain
  /// @throws ChainUnavailableException if none answers
  public static ChainRpc connect(RpcSettings settings) {
    ChainRpc rpc = open(settings);
    try {
      rpc.requireChain();
      return rpc;
    } catch (ChainUnavailableException | ChainMismatchException e) {
      rpc.close();
      throw e;
    }
  }

  /// The same without asking anything yet, for whoever goes on trying: its [#endpoints] tell how
  /// each does from the first request on.
  public static ChainRpc open(RpcSettings settings) {
    return new ChainRpc(settings);
  }

  /// Checks that every endpoint that answers serves the configured chain.
  ///
  /// @throws ChainMismatchException if one serves another chain
  /// @throws ChainUnavailableException if none answers
  public void requireChain() {
    try {
      endpoints.requireChain();
    } catch (IOException e) {
      throw unavailable(e);
    }
  }

  /// The EIP-155 id of this chain.
  public long chainId() {
    return settings.chainId();
  }

  /// How each endpoint does, in the order of the configuration.
  public List<EndpointHealth> endpoints() {
    return endpoints.health();
  }

  /// The newest block.
  public ChainHead head() {
    EthBlock answer =
        send(
            "eth_getBlockByNumber",
            web3j.ethGetBlockByNumber(DefaultBlockParameterName.LATEST, false));
    if (answer.getBlock() == null) {
      throw new RpcRefusedException("eth_getBlockByNumber", 0, "there is no newest block");
    }
    return head(answer.getBlock());
  }

  /// The block of a number, if the chain has come that far.
  public Optional<ChainHead> block(long number) {
    EthBlock answer = send("eth_getBlockByNumber", web3j.ethGetBlockByNumber(at(number), false));
    return Optional.ofNullable(answer.getBlock()).map(ChainRpc::head);
  }

  /// The hash of block zero, by which two chains with the same id are told apart.
  public Hash genesisHash() {
    return block(0)
        .map(ChainHead::hash)
        .orElseThrow(
            () -> new RpcRefusedException("eth_getBlockByNumber", 0, "there is no block zero"));
  }

  /// How many transactions of the account are in blocks: the lowest nonce that is free.
  public long nonce(Address account) {
    return send(
            "eth_getTransactionCount",
            web3j.ethGetTransactionCount(account.hex(), DefaultBlockParameterName.LATEST))
        .getTransactionCount()
        .longValueExact();
  }

  /// The same as it was after an earlier block.
  public long nonceAt(Address account, long blockNumber) {
    return send(
            "eth_getTransactionCount", web3j.ethGetTransactionCount(account.hex(), at(blockNumber)))
        .getTransactionCount()
        .longValueExact();
  }

  /// What the account holds of the chain's coin, in wei.
  public BigInteger balanceWei(Address account) {
    return send(
            "eth_getBalance", web3j.ethGetBalance(account.hex(), DefaultBlockParameterName.LATEST))
        .getBalance();
  }

  /// True if there is a contract at the address.
  public boolean hasCode(Address address) {
    return code(address).length() > 2;
  }

  /// True if a contract is at the address, and not the account of a key: a key's account may point
  /// to code (EIP-7702), and the key still signs for it.
  public boolean isContract(Address address) {
    String code = code(address);
    return code.length() > 2 && !code.startsWith(DELEGATION);
  }

  /// The code at an address, as hexadecimal with `0x`; nothing behind that where there is none.
  public String code(Address address) {
    String code =
        send("eth_getCode", web3j.ethGetCode(address.hex(), DefaultBlockParameterName.LATEST))
            .getCode();
    return code == null ? "0x" : code;
  }

  /// What gas costs now.
  public FeeQuote fees() {
    EthBlock answer =
        send(
            "eth_getBlockByNumber",
            web3j.ethGetBlockByNumber(DefaultBlockParameterName.LATEST, false));
    if (answer.getBlock() == null || answer.getBlock().getBaseFeePerGasRaw() == null) {
      throw new RpcRefusedException(
          "eth_getBlockByNumber", 0, "the chain has no base fee, so it does not know EIP-1559");
    }
    BigInteger baseFee = answer.getBlock().getBaseFeePerGas();
    return new FeeQuote(baseFee, priorityFee(baseFee));
  }

  private BigInteger priorityFee(BigInteger baseFee) {
    try {
      return send("eth_maxPriorityFeePerGas", web3j.ethMaxPriorityFeePerGas())
          .getMaxPriorityFeePerGas();
    } catch (RpcRefusedException e) {
      // Not every client has it; what all have is a price for the whole, the base fee included.
      return send("eth_gasPrice", web3j.ethGasPrice())
          .getGasPrice()
          .subtract(baseFee)
          .max(BigInteger.ZERO);
    }
  }

  /// How much gas a call would use now.
  ///
  /// @throws RevertedException if it would revert
  public long estimateGas(Address from, Call call) {
    return send("eth_estimateGas", web3j.ethEstimateGas(transaction(from, call)))
        .getAmountUsed()
        .longValueExact();
  }

  /// Runs a call on the state after a block without changing anything. Returns the bytes that it
  /// gives back, as hexadecimal with `0x`.
  ///
  /// @throws RevertedException if it reverts
  public String callAt(Address from, Call call, long blockNumber) {
    return send("eth_call", web3j.ethCall(transaction(from, call), at(blockNumber))).getValue();
  }

  /// The same with so much gas and no more.
  ///
  /// @throws RpcRefusedException if that is not enough
  public String callAt(Address from, Call call, long blockNumber, long gasMax) {
    Transaction bounded =
        new Transaction(
            from.hex(),
            null,
            null,
            BigInteger.valueOf(gasMax),
            call.recipient().map(Address::hex).orElse(null),
            call.valueWei(),
            call.dataHex());
    return send("eth_call", web3j.ethCall(bounded, at(blockNumber))).getValue();
  }

  /// Hands signed bytes, in hexadecimal, to the chain. An answer only says that the endpoint took
  /// them.
  public void sendRaw(String raw) {
    send("eth_sendRawTransaction", web3j.ethSendRawTransaction(raw));
  }

  /// What became of a transaction, if it is in a block.
  public Optional<Inclusion> inclusion(Hash transaction) {
    return send("eth_getTransactionReceipt", web3j.ethGetTransactionReceipt(transaction.hex()))
        .getTransactionReceipt()
        .map(ChainRpc::inclusion);
  }

  /// True if the endpoint has the transaction, in a block or waiting.
  public boolean knows(Hash transaction) {
    return send("eth_getTransactionByHash", web3j.ethGetTransactionByHash(transaction.hex()))
        .getTransaction()
        .isPresent();
  }

  /// The logs of a contract in a range of blocks, both ends included, oldest first.
  ///
  /// @param topics for each position the values that are wanted, or an empty list for any
  /// @param blocks gives the block of a number; asked once for each log
  /// @throws ChainMovedException if a log stands in another block than `blocks` says
  public List<ChainLog> logs(
      Address contract,
      long from,
      long to,
      List<List<Hash>> topics,
      LongFunction<Optional<ChainHead>> blocks) {
    Map<String, Object> filter = new LinkedHashMap<>();
    filter.put("fromBlock", Numeric.encodeQuantity(BigInteger.valueOf(from)));
    filter.put("toBlock", Numeric.encodeQuantity(BigInteger.valueOf(to)));
    filter.put("address", contract.hex());
    List<@Nullable List<String>> wanted = new ArrayList<>();
    for (List<Hash> values : topics) {
      wanted.add(values.isEmpty() ? null : values.stream().map(Hash::hex).toList());
    }
    filter.put("topics", wanted);
    List<ChainLog> logs = new ArrayList<>();
    for (Log raw : rawLogs(filter)) {
      long number = Malformed.refuse(GET_LOGS, () -> raw.getBlockNumber().longValueExact());
      ChainHead block =
          blocks.apply(number).orElseThrow(() -> new ChainMovedException(chainId(), number));
      logs.add(log(raw, block));
    }
    return logs;
  }

  /// A block and what some contracts wrote in it, asked by the block's hash, so that no other
  /// block's logs can come instead. Empty if the chain has not come that far.
  public Optional<BlockLogs> blockLogs(long number, List<Address> contracts) {
    EthBlock answer = send(GET_BLOCK, web3j.ethGetBlockByNumber(at(number), false));
    if (answer.getBlock() == null) {
      return Optional.empty();
    }
    ChainHead block = head(answer.getBlock());
    LogsBloom bloom =
        Malformed.refuse(GET_BLOCK, () -> LogsBloom.of(answer.getBlock().getLogsBloom()));
    List<Address> likely = contracts.stream().filter(bloom::mayHold).toList();
    if (likely.isEmpty()) {
      return Optional.of(new BlockLogs(block, List.of(), true));
    }
    Map<String, Object> filter = new LinkedHashMap<>();
    filter.put("blockHash", block.hash().hex());
    filter.put("address", likely.stream().map(Address::hex).toList());
    List<ChainLog> logs = rawLogs(filter).stream().map(raw -> log(raw, block)).toList();
    boolean complete =
        likely.stream()
            .allMatch(contract -> logs.stream().anyMatch(log -> log.contract().equals(contract)));
    return Optional.of(new BlockLogs(block, logs, complete));
  }

  private List<Log> rawLogs(Map<String, Object> filter) {
    EthLog answer =
        send(GET_LOGS, new Request<>(GET_LOGS, List.of(filter), endpoints, EthLog.class));
    List<Log> logs = new ArrayList<>();
    for (EthLog.LogResult<?> result : answer.getLogs()) {
      Log log = (Log) result.get();
      if (!log.isRemoved()) {
        logs.add(log);
      }
    }
    return logs;
  }

  private ChainLog log(Log raw, ChainHead block) {
    ChainLog log =
        Malformed.refuse(
            GET_LOGS,
            () ->
                new ChainLog(
                    new Place(
                        raw.getBlockNumber().longValueExact(),
                        Hash.fromHex(raw.getBlockHash()),
                        Hash.fromHex(raw.getTransactionHash()),
                        raw.getLogIndex().longValueExact(),
                        block.timestamp()),
                    Address.fromHex(raw.getAddress()),
                    raw.getTopics().stream().map(Hash::fromHex).toList(),
                    Numeric.hexStringToByteArray(raw.getData())));
    if (!log.place().blockHash().equals(block.hash())) {
      throw new ChainMovedException(chainId(), block.number());
    }
    return log;
  }

  /// Does several requests at one endpoint, so that what they give belongs together. The endpoint
  /// is the first that works, chosen at the first of the requests; where it fails after that, no
  /// other stands in, and the whole is to be done again.
  public <T> T atOneEndpoint(Supplier<T> requests) {
    return endpoints.atOne(requests);
  }

  /// Web3j itself, for the generated wrappers of contracts.
  public Web3j web3j() {
    return web3j;
  }

  /// The exception for an input or output error of a wrapper's call.
  public ChainUnavailableException unavailable(IOException e) {
    return new ChainUnavailableException(
        "The chain %d cannot be reached (%s); check the node's RPC endpoints and the network."
            .formatted(settings.chainId(), e.getMessage()),
        e);
  }

  @Override
  public void close() {
    web3j.shutdown();
    endpoints.close();
  }

  private <T extends Response<?>> T send(String method, Request<?, T> request) {
    T answer;
    try {
      answer = request.send();
    } catch (RpcEndpoint.AnswerTooLarge e) {
      throw new RpcRefusedException(method, 0, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw unavailable(e);
    } catch (tools.jackson.core.JacksonException e) {
      throw new RpcRefusedException(
          method, 0, "the answer is malformed: " + e.getOriginalMessage());
    }
    if (answer.hasError()) {
      Response.Error error = answer.getError();
      String message = String.valueOf(error.getMessage());
      if (isRevert(error.getCode(), message)) {
        throw errors.explain(revertData(error.getData()));
      }
      throw new RpcRefusedException(method, error.getCode(), message);
    }
    return answer;
  }

  private static boolean isRevert(int code, String message) {
    return code == 3 || message.toLowerCase(Locale.ROOT).contains("revert");
  }

  /// Endpoints disagree about where the data stands in their error, but it is always the first
  /// hexadecimal text.
  private static String revertData(@Nullable String data) {
    if (data == null) {
      return "";
    }
    Matcher matcher = REVERT_DATA.matcher(data);
    return matcher.find() ? matcher.group() : "";
  }

  private static Transaction transaction(Address from, Call call) {
    return new Transaction(
        from.hex(),
        null,
        null,
        null,
        call.recipient().map(Address::hex).orElse(null),
        call.valueWei(),
        call.dataHex());
  }

  private static DefaultBlockParameter at(long number) {
    return DefaultBlockParameter.valueOf(BigInteger.valueOf(number));
  }

  private static ChainHead head(EthBlock.Block block) {
    return new ChainHead(
        block.getNumber().longValueExact(),
        Hash.fromHex(block.getHash()),
        Hash.fromHex(block.getParentHash()),
        Instant.ofEpochSecond(block.getTimestamp().longValueExact()));
  }

  private static Inclusion inclusion(TransactionReceipt receipt) {
    String price = receipt.getEffectiveGasPrice();
    String created = receipt.getContractAddress();
    return new Inclusion(
        Hash.fromHex(receipt.getTransactionHash()),
        receipt.getBlockNumber().longValueExact(),
        Hash.fromHex(receipt.getBlockHash()),
        receipt.isStatusOK(),
        receipt.getGasUsed().longValueExact(),
        price == null ? BigInteger.ZERO : Numeric.decodeQuantity(price),
        created == null ? Optional.empty() : Optional.of(Address.fromHex(created)));
  }
}
