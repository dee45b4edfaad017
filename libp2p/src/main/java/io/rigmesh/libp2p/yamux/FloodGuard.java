package io.rigmesh.libp2p.yamux;

import io.rigmesh.libp2p.PeerMisbehaviourException;

/// How much useless work one remote may ask for. The limits stand well above what honest peers
/// leave behind, such as frames that cross a stream's end on the wire; passing one ends the
/// connection. Pure: the clock is handed in.
final class FloodGuard {
  private static final int IDLE_FRAMES_BURST = 20_000;
  private static final int IDLE_FRAMES_PER_SECOND = 10_000;
  private static final int RESETS_BURST = 2_000;
  private static final int RESETS_PER_SECOND = 500;
  private static final int PINGS_BURST = 64;
  private static final int PINGS_PER_SECOND = 16;

  /// Data for streams that are gone may come in this amount on top of what their windows allowed.
  private static final long STRAY_BYTES = 256 * 1024;

  private final TokenBucket idleFrames;
  private final TokenBucket resets;
  private final TokenBucket pings;
  private long strayBytes = STRAY_BYTES;

  FloodGuard(long nowNanos) {
    idleFrames = new TokenBucket(IDLE_FRAMES_BURST, IDLE_FRAMES_PER_SECOND, nowNanos);
    resets = new TokenBucket(RESETS_BURST, RESETS_PER_SECOND, nowNanos);
    pings = new TokenBucket(PINGS_BURST, PINGS_PER_SECOND, nowNanos);
  }

  /// A frame that carries nothing, or is for a stream that is gone.
  void idleFrame(long nowNanos) {
    if (!idleFrames.take(nowNanos)) {
      throw new PeerMisbehaviourException(
          "yamux: over "
              + IDLE_FRAMES_PER_SECOND
              + " frames a second that carry nothing: pings, refused streams, frames for streams"
              + " that are gone");
    }
  }

  /// A stream that the remote has opened and resets: it costs more to make than to ask for.
  void reset(long nowNanos) {
    if (!resets.take(nowNanos)) {
      throw new PeerMisbehaviourException(
          "yamux: over "
              + RESETS_PER_SECOND
              + " streams a second that the remote opens only to reset them");
    }
  }

  /// Whether a ping is answered: those too many are not.
  boolean answersPing(long nowNanos) {
    idleFrame(nowNanos);
    return pings.take(nowNanos);
  }

  /// A stream is gone to which the remote may still send so much before it knows.
  void expectStray(long bytes) {
    strayBytes += bytes;
  }

  /// Data for a stream that is gone.
  void stray(int streamId, long bytes) {
    strayBytes -= bytes;
    if (strayBytes < 0) {
      throw new PeerMisbehaviourException(
          "yamux: data of "
              + bytes
              + " bytes for stream "
              + Integer.toUnsignedString(streamId)
              + ", which is closed, after its window was used up");
    }
  }
}
