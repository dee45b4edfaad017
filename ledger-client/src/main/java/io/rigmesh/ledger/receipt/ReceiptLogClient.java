package io.rigmesh.ledger.receipt;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.generated.ReceiptLog;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.web3j.tx.gas.DefaultGasProvider;

/// The Merkle roots of receipts that an account writes down. Safe for use by several threads.
public final class ReceiptLogClient {
  private final TransactionSender sender;
  private final Address address;
  private final Duration timeout;
  private final ReceiptLog contract;
  private final ReceiptLogReads reads;

  /// The log, with the sender's account as the one that anchors.
  ///
  /// @param timeout how long a transaction may take to be confirmed before the caller hears that it
  ///   is pending
  public ReceiptLogClient(TransactionSender sender, Address log, Duration timeout) {
    this.sender = sender;
    this.address = log;
    this.timeout = timeout;
    this.contract =
        ReceiptLog.load(
            log.hex(),
            sender.rpc().web3j(),
            ContractReads.readOnly(sender.rpc()),
            new DefaultGasProvider());
    this.reads = new ReceiptLogReads(sender.rpc(), log);
  }

  /// What the log says.
  public ReceiptLogReads reads() {
    return reads;
  }

  /// Writes down that the sender's account stands by the receipts under a root, and waits until
  /// that is confirmed. The same root is written down once; what reverted or was displaced is sent
  /// anew.
  ///
  /// @param root see [ReceiptProof#root]
  /// @return empty where another program of this account did it before, and nothing was sent
  public Optional<Inclusion> anchor(Hash root) {
    boolean isOurs =
        transaction(sender.store(), address, root)
            .map(Intent::state)
            .filter(ReceiptLogClient::lasts)
            .isPresent();
    if (!isOurs && reads.anchoredAt(sender.account(), root).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        sender.sendAnew(
            key(address, root),
            "anchor the receipts under %s at %s".formatted(root, address),
            () -> Call.of(address, contract.anchor(root.bytes()).encodeFunctionCall()),
            timeout));
  }

  /// Of what ended otherwise the chain says whether somebody else was first.
  private static boolean lasts(IntentState state) {
    return switch (state) {
      case IntentState.Planned _,
          IntentState.Signed _,
          IntentState.Mined _,
          IntentState.Confirmed _ ->
          true;
      case IntentState.Refused _, IntentState.Reverted _, IntentState.Displaced _ -> false;
    };
  }

  /// The newest transaction that a store has for anchoring a root at a log.
  public static Optional<Intent> transaction(IntentStore store, Address log, Hash root) {
    List<Intent> all = store.list(key(log, root));
    return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
  }

  private static String key(Address log, Hash root) {
    return "anchor:" + root.hex() + "@" + log.hex();
  }
}
