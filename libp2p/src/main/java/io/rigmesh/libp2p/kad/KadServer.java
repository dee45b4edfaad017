package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Reads the requests of one stream after the other's answer is written, each stream on a virtual
/// thread of its own.
final class KadServer implements StreamHandler.Blocking {
  /// The node, from any thread.
  interface Answers {
    /// How many milliseconds this peer must wait before its next request is answered.
    long waitMillis(PeerId asker);

    /// See [Requests#answer].
    Optional<KadMessage> answer(PeerId asker, Multiaddr remote, KadMessage request);
  }

  /// Who would have to wait longer has its stream reset.
  private static final long WAIT_MILLIS_MAX = 5_000;

  private final ProtocolId protocol;
  private final Duration idle;
  private final Answers answers;
  private final Set<Stream> open = ConcurrentHashMap.newKeySet();

  KadServer(ProtocolId protocol, Duration idle, Answers answers) {
    this.protocol = protocol;
    this.idle = idle;
    this.answers = answers;
  }

  @Override
  public void serve(Stream stream, BlockingStream io) throws InterruptedException {
    open.add(stream);
    try {
      io.timeout(idle);
      while (true) {
        Optional<byte[]> request;
        try {
          request = io.readMessage(KadMessage.REQUEST_BYTES_MAX);
        } catch (StreamTimeoutException nothingMore) {
          return;
        }
        if (request.isEmpty()) {
          return;
        }
        KadMessage message = KadMessage.decode(protocol.name(), request.get());
        long wait = answers.waitMillis(stream.peer());
        if (wait > WAIT_MILLIS_MAX) {
          throw new Libp2pException(
              protocol + ": " + stream.peer() + " asks more than this node answers");
        }
        if (wait > 0) {
          Thread.sleep(wait);
        }
        answers
            .answer(stream.peer(), stream.connection().remoteAddress(), message)
            .ifPresent(answer -> io.writeMessage(answer.encode()));
      }
    } finally {
      open.remove(stream);
    }
  }

  /// Resets every stream that is open.
  void reset() {
    open.forEach(Stream::reset);
  }
}
