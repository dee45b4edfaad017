/// QUIC version 1 as a transport (quic specification): security and multiplexing are its own.
@NullMarked
package io.rigmesh.libp2p.transport.quic;

import org.jspecify.annotations.NullMarked;
