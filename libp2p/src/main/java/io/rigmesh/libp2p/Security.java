package io.rigmesh.libp2p;

/// Ways to secure a connection that is not secured by its transport, such as TCP.
public enum Security {
  NOISE,
  TLS
}
