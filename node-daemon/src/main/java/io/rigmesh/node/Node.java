package io.rigmesh.node;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.Jobs;
import java.util.List;

/// What the daemon's interfaces (REST, metrics) see of the daemon. Safe for use by several threads.
public interface Node {
  /// The settings in force.
  NodeConfig config();

  /// The jobs.
  Jobs jobs();

  /// The files.
  Blobs blobs();

  /// Who this node is and what it offers; needs no network.
  NodeInfo info();

  /// The devices as they stand now.
  List<DeviceView> devices();

  /// The account's money. Asks the chain.
  ///
  /// @throws RuntimeException if the chain is away, saying so
  WalletView wallet();

  /// Whether the node can take new work, and if not, why; needs no network.
  Readiness readiness();

  /// Numbers for metrics; needs no network.
  NodeStats stats();
}
