package io.rigmesh.node;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.node.network.NetworkView;
import io.rigmesh.node.network.PeerView;
import io.rigmesh.node.receipts.Anchors;
import io.rigmesh.node.wallet.Purse;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import java.util.Optional;

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

  /// Keeps the manifest of a folder that somebody puts here by hand; a model is offered once its
  /// files are here.
  ///
  /// @return the roots of the files that are not, each once
  List<Hash> putFolder(FolderManifest manifest);

  /// The open connections to peers, the oldest first.
  List<PeerView> peers();

  /// The offers that hold now, this node's own among them, by peer.
  List<Offer> offers();

  /// What stands behind an offer by its provider's stake, as far as it is known.
  Optional<TokenAmount> stake(Offer offer);

  /// How the node stands in the network.
  NetworkView network();

  /// How it stands after peers were asked to dial it; waits for their answers.
  NetworkView checkNetwork();

  /// The account's money. Asks the chain.
  ///
  /// @throws RuntimeException if the chain is away, saying so
  WalletView wallet();

  /// The account's history, what of its tokens is locked, and transactions that a person asks for.
  Purse purse();

  /// The receipts of jobs under roots that the account writes into the chain.
  Anchors anchors();

  /// Channels of others that it guards.
  Watch watch();

  /// How the node stands to its chain; needs no network.
  ChainView chain();

  /// The payment channels, those that this node pays by first; needs no network.
  List<ChannelView> channels();

  /// Asks for what is left of a channel back, by which this node pays: it is closed when the
  /// challenge time is over.
  ///
  /// @return the channel as it stands then; empty if there is none
  /// @throws io.rigmesh.ledger.channel.ChannelException if it is closed or in use
  Optional<ChannelView> leaveChannel(Hash channel);

  /// Whether the node can take new work, and if not, why; needs no network.
  Readiness readiness();

  /// Numbers for metrics; needs no network.
  NodeStats stats();
}
