package io.rigmesh.libp2p.yamux;

import java.time.Duration;

/// Limits of a yamux session.
///
/// @param windowBytesMax how far one stream's receive window may grow, from 256 KiB
/// @param inboundStreamsMax streams of the remote that may be open at once; more are reset
/// @param keepAlive after so long without a byte the remote is pinged, and the connection closed
///   when it stays silent for the same time again; zero for never
public record YamuxConfig(long windowBytesMax, int inboundStreamsMax, Duration keepAlive) {
  private static final YamuxConfig DEFAULTS =
      new YamuxConfig(16 * 1024 * 1024, 1024, Duration.ofSeconds(30));

  public YamuxConfig {
    if (windowBytesMax < Frames.INITIAL_WINDOW_BYTES) {
      throw new IllegalArgumentException(
          "A yamux window has at least 256 KiB, not " + windowBytesMax + " bytes");
    }
    if (inboundStreamsMax < 1) {
      throw new IllegalArgumentException(
          "A yamux session takes at least one stream, not " + inboundStreamsMax);
    }
    if (keepAlive.isNegative()) {
      throw new IllegalArgumentException("A negative keep-alive time: " + keepAlive);
    }
  }

  /// 16 MiB, 1,024 streams, 30 seconds.
  public static YamuxConfig defaults() {
    return DEFAULTS;
  }
}
