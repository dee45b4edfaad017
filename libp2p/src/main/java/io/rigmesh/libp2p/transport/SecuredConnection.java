package io.rigmesh.libp2p.transport;

import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;

/// What a transport yields: a proven remote key and a running multiplexer.
///
/// @param security protocol id of the secure channel, such as `/noise`
/// @param muxer protocol id of the multiplexer, such as `/yamux/1.0.0`
/// @param limited whether it runs through a relay with limits
public record SecuredConnection(
    PublicKey remoteKey,
    Multiaddr localAddress,
    Multiaddr remoteAddress,
    String security,
    String muxer,
    boolean limited,
    MuxerSession session) {}
