package io.rigmesh.libp2p.transport.quic;

import java.time.Duration;

/// How long QUIC waits.
///
/// @param dial for the handshake of a connection that is dialled
/// @param accept for the handshake of a connection that comes
/// @param idle a connection over which nothing comes for so long is closed
/// @param keepAlive after so long without anything from the remote, it is made to answer
record QuicTimeouts(Duration dial, Duration accept, Duration idle, Duration keepAlive) {
  static QuicTimeouts defaults() {
    return new QuicTimeouts(
        Duration.ofSeconds(10),
        Duration.ofSeconds(15),
        Duration.ofSeconds(30),
        Duration.ofSeconds(15));
  }
}
