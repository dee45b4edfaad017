package io.rigmesh.worker.task;

/// Tokens per second since it was made.
final class Throughput {
  private static final double NANOS_PER_SECOND = 1e9;

  private final long startNanos = System.nanoTime();
  private long tokens;

  void add(long more) {
    tokens += more;
  }

  double tokensPerSecond() {
    long nanos = Math.max(1, System.nanoTime() - startNanos);
    return tokens * NANOS_PER_SECOND / nanos;
  }
}
