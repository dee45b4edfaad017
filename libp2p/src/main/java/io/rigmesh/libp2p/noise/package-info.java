/// The Noise XX handshake and its encrypted frames.
@NullMarked
package io.rigmesh.libp2p.noise;

import org.jspecify.annotations.NullMarked;
