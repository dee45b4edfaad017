package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.ProtocolId;
import java.util.Map;

/// How much the network may take of this machine, scope by scope. [#defaults] suits a node on an
/// ordinary machine.
///
/// @param system everything together
/// @param transients connections whose peer, and streams whose protocol, is not yet known
/// @param peer each peer
/// @param protocol each protocol, over all peers; [#protocols] has exceptions
/// @param protocolPeer each protocol with each peer
/// @param connection each connection: its streams and memory
/// @param stream memory of each stream
public record ResourceLimits(
    ScopeLimits system,
    ScopeLimits transients,
    ScopeLimits peer,
    ScopeLimits protocol,
    Map<ProtocolId, ScopeLimits> protocols,
    ScopeLimits protocolPeer,
    ScopeLimits connection,
    ScopeLimits stream,
    AddressLimits address) {
  private static final long MIB = 1024 * 1024;

  private static final ResourceLimits DEFAULTS =
      new ResourceLimits(
          new ScopeLimits(64, 128, 128, 1024, 2048, 2048, 128 * MIB),
          // More streams than a peer may have: one that never names a protocol leaves room for all.
          new ScopeLimits(16, 64, 64, 768, 768, 1024, 16 * MIB),
          new ScopeLimits(8, 8, 8, 256, 512, 512, 64 * MIB),
          ScopeLimits.ofStreams(1024, 1024, 2048, 96 * MIB),
          Map.of(),
          ScopeLimits.ofStreams(256, 512, 512, 64 * MIB),
          new ScopeLimits(1, 1, 1, 256, 512, 512, 32 * MIB),
          ScopeLimits.ofStreams(1, 1, 1, 16 * MIB),
          AddressLimits.defaults());

  public ResourceLimits {
    protocols = Map.copyOf(protocols);
  }

  /// 128 connections of which 64 inbound and 16 unidentified, 8 a peer and 8 an address; 2,048
  /// streams, 256 inbound a peer; 128 MiB.
  public static ResourceLimits defaults() {
    return DEFAULTS;
  }

  public ResourceLimits withSystem(ScopeLimits limits) {
    return new ResourceLimits(
        limits, transients, peer, protocol, protocols, protocolPeer, connection, stream, address);
  }

  public ResourceLimits withTransients(ScopeLimits limits) {
    return new ResourceLimits(
        system, limits, peer, protocol, protocols, protocolPeer, connection, stream, address);
  }

  public ResourceLimits withPeer(ScopeLimits limits) {
    return new ResourceLimits(
        system, transients, limits, protocol, protocols, protocolPeer, connection, stream, address);
  }

  public ResourceLimits withProtocols(Map<ProtocolId, ScopeLimits> limits) {
    return new ResourceLimits(
        system, transients, peer, protocol, limits, protocolPeer, connection, stream, address);
  }

  public ResourceLimits withConnection(ScopeLimits limits) {
    return new ResourceLimits(
        system, transients, peer, protocol, protocols, protocolPeer, limits, stream, address);
  }

  public ResourceLimits withAddress(AddressLimits limits) {
    return new ResourceLimits(
        system, transients, peer, protocol, protocols, protocolPeer, connection, stream, limits);
  }
}
