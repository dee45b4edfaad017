package io.rigmesh.node.receipts;

import io.rigmesh.node.chain.ChainAccess;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.time.Clock;
import java.time.Duration;

/// The receipts of a running daemon: sends through the daemon's sender, which alone gives out the
/// account's nonces.
public final class NodeAnchors implements Anchors {
  /// Below the time that a request may take.
  private static final Duration WAIT_MAX = Duration.ofSeconds(10);

  private final ChainLink chain;
  private final Address account;
  private final Database database;
  private final JobStore jobs;
  private final Clock clock;

  /// The receipts of a node's account.
  public NodeAnchors(
      ChainLink chain, Address account, Database database, JobStore jobs, Clock clock) {
    this.chain = chain;
    this.account = account;
    this.database = database;
    this.jobs = jobs;
    this.clock = clock;
  }

  private Anchoring anchoring() {
    return new Anchoring(chain.contracts(), account, database, jobs, chain.intents(), clock);
  }

  @Override
  public Anchored anchor(String id) {
    Anchoring anchoring = anchoring();
    ChainAccess access = chain.require();
    return anchoring.anchor(id, access.sender(), WAIT_MAX);
  }

  @Override
  public AnchoredReceipt prove(Hash job) {
    Anchoring anchoring = anchoring();
    return anchoring.prove(job, chain.require().rpc());
  }

  @Override
  public Listing list() {
    return anchoring().list();
  }
}
