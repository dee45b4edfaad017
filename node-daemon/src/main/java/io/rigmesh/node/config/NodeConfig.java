package io.rigmesh.node.config;

import java.nio.file.Path;

/// All settings of a node, one record per concern. Values are read by [ConfigLoader].
///
/// @param home the node's folder; every relative path among the settings is below it
/// @param rest the REST interface
/// @param network the peer-to-peer network
/// @param chain the chain and its contracts
/// @param keys the account's key
/// @param provider computing for others
/// @param requester asking others
/// @param audit checking what others computed
/// @param channels payment channels
/// @param watchtower guarding channels of others
/// @param workers the worker processes
/// @param jobs bounds on jobs
/// @param blobs bounds on files
/// @param log the log
public record NodeConfig(
    Path home,
    RestConfig rest,
    NetworkConfig network,
    ChainConfig chain,
    KeysConfig keys,
    ProviderConfig provider,
    RequesterConfig requester,
    AuditConfig audit,
    ChannelsConfig channels,
    WatchtowerConfig watchtower,
    WorkersConfig workers,
    JobsConfig jobs,
    BlobsConfig blobs,
    LogConfig log) {
  /// The database.
  public Path databaseFile() {
    return home.resolve("rigmesh.db");
  }

  /// The file of what is known of other peers.
  public Path peersFile() {
    return home.resolve("peers.json");
  }

  /// The file of what `rigmesh self-test` measured.
  public Path measuredFile() {
    return home.resolve("self-test.json");
  }

  /// The folder of blobs.
  public Path blobsFolder() {
    return home.resolve("blobs");
  }

  /// The folder of a folder per job.
  public Path jobsFolder() {
    return home.resolve("jobs");
  }

  /// The folder of the workers' sockets.
  public Path workersFolder() {
    return home.resolve("workers");
  }
}
