package io.rigmesh.libp2p;

/// Who started a connection or stream, seen from here.
public enum Direction {
  INBOUND,
  OUTBOUND
}
