/// The libp2p TLS certificate, TLS over TCP, and QUIC's verification of peers.
@NullMarked
package io.rigmesh.libp2p.tls;

import org.jspecify.annotations.NullMarked;
