package io.rigmesh.ledger.chain;

import java.util.List;

/// A block and the logs that some contracts wrote in it.
///
/// @param block the block
/// @param logs their logs, in order
/// @param complete false if the header says that one of the contracts most likely wrote a log
///   (`logsBloom`) and the endpoint gave none. Endpoints behind one address that are not at the
///   same block do that; a false alarm is rare but possible.
public record BlockLogs(ChainHead block, List<ChainLog> logs, boolean complete) {
  /// Copies the list.
  public BlockLogs {
    logs = List.copyOf(logs);
  }
}
