package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.Stream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// A relayed connection, seen from the relay: two streams, and bytes between them until both sides
/// have ended, or the limits are reached and both streams are reset.
final class Circuit {
  private final Stream source;
  private final Stream target;
  private final RelayLimits limits;
  private final AtomicBoolean aborted = new AtomicBoolean();
  private volatile boolean joined;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  Circuit(Stream source, Stream target, RelayLimits limits) {
    this.source = source;
    this.target = target;
    this.limits = limits;
    source
        .channel()
        .closeFuture()
        .addListener(sourceGone ->
            target.channel().closeFuture().addListener(targetGone -> ended.complete(null)));
    source
        .channel()
        .closeFuture()
        .addListener(gone -> {
          // Once they are joined, what the source has sent before its end still goes on.
          if (!joined) {
            target.reset();
          }
        });
  }

  /// Completes when both streams are gone.
  CompletableFuture<Void> ended() {
    return ended;
  }

  /// Joins the streams.
  void start() {
    joined = true;
    new Pump(source, target, limits.circuitBytes(), this::abort).start();
    new Pump(target, source, limits.circuitBytes(), this::abort).start();
    if (!limits.circuitTime().isZero()) {
      Future<?> end =
          source
              .channel()
              .eventLoop()
              .schedule(this::abort, limits.circuitTime().toMillis(), TimeUnit.MILLISECONDS);
      ended.thenRun(() -> end.cancel(false));
    }
  }

  void abort() {
    if (aborted.compareAndSet(false, true)) {
      source.reset();
      target.reset();
    }
  }
}
