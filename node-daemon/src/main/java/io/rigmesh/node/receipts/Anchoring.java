package io.rigmesh.node.receipts;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.ledger.receipt.ReceiptLogClient;
import io.rigmesh.ledger.receipt.ReceiptLogReads;
import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.receipts.AnchorException.Reason;
import io.rigmesh.node.store.AnchorRow;
import io.rigmesh.node.store.AnchorStore;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Anchoring and proving over a node's store, whoever runs it.
final class Anchoring {
  /// So many leaves are hashed in well under a second, whose paths have 16 hashes. What is beyond
  /// goes under the next root.
  private static final int RECEIPTS_MAX = 65_536;

  private static final int LISTED_MAX = 100;

  private final AnchorStore store;
  private final JobStore jobs;
  private final IntentStore intents;
  private final AnchorStore.Place place;

  /// Over an open database.
  ///
  /// @throws AnchorException if the settings name no ReceiptLog
  Anchoring(
      Contracts contracts,
      Address account,
      Database database,
      JobStore jobs,
      IntentStore intents,
      Clock clock) {
    Address log =
        contracts
            .receipts()
            .orElseThrow(() ->
                new AnchorException(
                    Reason.NO_LOG,
                    "No ReceiptLog is set up, so receipts cannot be anchored; name its address with"
                        + " chain.receipts, or a deployment with chain.deployment-file."));
    this.place = new AnchorStore.Place(contracts.chainId(), log, account);
    this.store = new AnchorStore(database, place, clock);
    this.jobs = jobs;
    this.intents = intents;
  }

  /// As [Anchors#anchor] has it, through the account's only sender.
  Anchors.Anchored anchor(String id, TransactionSender sender, Duration patience) {
    AnchorRow row = store.plan(id, RECEIPTS_MAX).orElseThrow(Anchoring::nothing);
    if (row.anchoredAt().isEmpty()) {
      ReceiptLogClient client = new ReceiptLogClient(sender, place.log(), patience);
      Optional<Inclusion> _ = client.anchor(row.root());
      Instant at =
          client
              .reads()
              .anchoredAt(place.account(), row.root())
              // Confirmed, and yet unknown to the endpoint that was asked.
              .orElseThrow(() ->
                  new TransactionPendingException(
                      "The root %s is in a block, and an endpoint of the chain does not know it yet; ask again."
                          .formatted(row.root())));
      store.anchored(row.number(), Optional.of(at));
    }
    return new Anchors.Anchored(anchor(store.find(row.id()).orElseThrow()), store.waiting());
  }

  private static AnchorException nothing() {
    return new AnchorException(
        Reason.NOTHING,
        "There is nothing to anchor: every receipt that this node holds is under an anchored root.");
  }

  /// As [Anchors#prove] has it.
  AnchoredReceipt prove(Hash job, ChainRpc rpc) {
    JobRow owner = job(job);
    ReceiptFile file = receipt(owner);
    Hash receipt = file.receipt().receipt().hash();
    AnchorRow row = store.of(job).orElseThrow(() -> underNone(owner));
    ReceiptLogReads log = new ReceiptLogReads(rpc, place.log());
    Optional<Instant> at =
        isUnderWay(row) ? Optional.empty() : log.anchoredAt(place.account(), row.root());
    // Also where it was anchored and a reorganisation took it back, so that anchoring goes on.
    store.anchored(row.number(), at);
    Instant anchoredAt =
        at.orElseThrow(() ->
            new AnchorException(
                Reason.NOT_ANCHORED,
                "The receipt of the job %s is under the root %s, which is not confirmed on the chain; 'rigmesh receipts anchor' goes on with it."
                    .formatted(job, row.root())));
    ReceiptProof proof = ReceiptProof.of(store.receipts(row.number()), receipt);
    if (!proof.root().equals(row.root()) || !log.proves(place.account(), receipt, proof)) {
      throw new LedgerException(
          "The contract at %s does not find the receipt of the job %s under the root %s, so what is kept of that root is damaged; restore the database from a backup."
              .formatted(place.log(), job, row.root()));
    }
    return new AnchoredReceipt(
        place.chainId(),
        place.log(),
        place.account(),
        anchoredAt,
        anchor(row)
            .inclusion()
            .map(i -> new AnchoredReceipt.Where(i.transaction(), i.blockNumber())),
        file.domain(),
        file.receipt(),
        proof);
  }

  private static AnchorException underNone(JobRow job) {
    boolean waits = job.role() == JobRole.PROVIDER || job.state() instanceof JobState.Settled;
    return new AnchorException(
        Reason.NOT_ANCHORED,
        "The receipt of the job "
            + job.id()
            + " is under no root: "
            + (waits
                ? "'rigmesh receipts anchor' anchors it."
                : "the job is "
                    + job.state().id()
                    + ", and what this node asked others for is anchored once it is settled."));
  }

  private JobRow job(Hash job) {
    return jobs.find(job)
        .orElseThrow(() ->
            new AnchorException(
                Reason.UNKNOWN_JOB,
                "This node has no job " + job + "; 'rigmesh job list' lists its jobs."));
  }

  private ReceiptFile receipt(JobRow job) {
    return jobs.receipt(job.id())
        .map(ProtocolJson::readReceiptFile)
        .orElseThrow(() ->
            new AnchorException(
                Reason.NO_RECEIPT,
                "The job "
                    + job.id()
                    + " is "
                    + job.state().id()
                    + " and has no receipt"
                    + (job.state().isFinal() ? "." : "; it comes when the job is completed.")));
  }

  /// As [Anchors#list] has it.
  Anchors.Listing list() {
    return new Anchors.Listing(
        place.chainId(),
        place.log(),
        place.account(),
        store.waiting(),
        store.newest(LISTED_MAX).stream().map(this::anchor).toList());
  }

  private Anchors.Anchor anchor(AnchorRow row) {
    return new Anchors.Anchor(
        row, transaction(row).flatMap(Intent::inclusion).filter(Inclusion::succeeded));
  }

  private Optional<Intent> transaction(AnchorRow row) {
    return ReceiptLogClient.transaction(intents, place.log(), row.root());
  }

  /// Whether this account's own transaction may yet be undone or has yet to be in a block.
  private boolean isUnderWay(AnchorRow row) {
    return transaction(row)
        .map(Intent::state)
        .filter(state ->
            state instanceof IntentState.Planned
                || state instanceof IntentState.Signed
                || state instanceof IntentState.Mined)
        .isPresent();
  }
}
