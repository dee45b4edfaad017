package io.rigmesh.libp2p.autonat;

/// Whether others can dial this host.
public enum Reachability {
  /// Nobody has tried yet, or those who tried disagree.
  UNKNOWN,
  /// At least one address was dialled from outside.
  PUBLIC,
  /// Every address that was tried failed.
  PRIVATE
}
