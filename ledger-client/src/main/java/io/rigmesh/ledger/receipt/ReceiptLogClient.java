package io.rigmesh.ledger.receipt;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.generated.ReceiptLog;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.web3j.protocol.core.RemoteFunctionCall;
import org.web3j.tx.gas.DefaultGasProvider;

/// The Merkle roots of receipts that accounts wrote down, and receipts proven under them. Safe for
/// use by several threads.
public final class ReceiptLogClient {
  private static final String NAME = "ReceiptLog";

  private final TransactionSender sender;
  private final ChainRpc rpc;
  private final Address address;
  private final Duration timeout;
  private final ReceiptLog contract;

  /// The log, with the sender's account as the one that anchors.
  ///
  /// @param timeout how long a transaction may take to be confirmed before the caller hears that it
  ///   is pending
  public ReceiptLogClient(TransactionSender sender, Address log, Duration timeout) {
    this.sender = sender;
    this.rpc = sender.rpc();
    this.address = log;
    this.timeout = timeout;
    this.contract =
        ReceiptLog.load(
            log.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// Writes down that the sender's account stands by the receipts under a root, and waits until
  /// that is confirmed. The same root is written down once.
  ///
  /// @param root see [ReceiptProof#root]
  /// @return empty where another program of this account did it before, and nothing was sent
  public Optional<Inclusion> anchor(Hash root) {
    String key = "anchor:" + root.hex();
    if (sender.find(key).isEmpty() && anchoredAt(sender.account(), root).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        sender.send(
            key,
            "anchor the receipts under %s at %s".formatted(root, address),
            () -> Call.of(address, contract.anchor(root.bytes()).encodeFunctionCall()),
            timeout));
  }

  /// When an account wrote a root down; empty where it never did.
  public Optional<Instant> anchoredAt(Address account, Hash root) {
    BigInteger at = ask(contract.anchoredAt(account.hex(), root.bytes()));
    return at.signum() == 0
        ? Optional.empty()
        : Optional.of(Instant.ofEpochSecond(at.longValueExact()));
  }

  /// True if the account wrote the proof's root down and the receipt is under it, as the contract
  /// itself finds.
  ///
  /// @param receipt the receipt's hash
  public boolean proves(Address account, Hash receipt, ReceiptProof proof) {
    return ask(
        contract.proves(
            account.hex(),
            proof.root().bytes(),
            receipt.bytes(),
            BigInteger.valueOf(proof.index()),
            BigInteger.valueOf(proof.count()),
            proof.path().stream().map(Hash::bytes).toList()));
  }

  private <T> T ask(RemoteFunctionCall<T> call) {
    return ContractReads.read(rpc, NAME, address, call);
  }
}
