package io.rigmesh.libp2p.noise;

import io.rigmesh.libp2p.identity.PublicKey;
import java.util.Optional;

/// What a Noise handshake has proven and agreed.
///
/// @param muxer the multiplexer agreed inside the handshake; empty when the remote does not know
///   that extension, and multistream has to agree on one
public record NoiseSession(PublicKey remoteKey, Optional<String> muxer) {}
