package io.rigmesh.libp2p.kad;

/// What part a node takes (the specification's "Client and server mode").
public enum KademliaMode {
  /// Asks others, answers nobody, and does not announce the protocol.
  CLIENT,
  /// Answers others and holds records for them.
  SERVER,
  /// Server while the host knows a public address of its own, else client; looked at each minute.
  AUTOMATIC
}
