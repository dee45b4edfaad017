package io.rigmesh.node;

import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.RefusalCode;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Counts what happened since the daemon started. Safe for use by several threads.
public final class Tally {
  private final Map<RefusalCode, Long> refusals = new ConcurrentHashMap<>();
  private final Map<JobKind, Long> tokensIn = new ConcurrentHashMap<>();
  private final Map<JobKind, Long> tokensOut = new ConcurrentHashMap<>();
  private final Map<JobKind, Double> seconds = new ConcurrentHashMap<>();

  /// A job was refused.
  public void refused(RefusalCode code) {
    refusals.merge(code, 1L, Long::sum);
  }

  /// A job was completed here.
  public void completed(JobKind kind, Meter meter, double tookSeconds) {
    tokensIn.merge(kind, meter.tokensIn(), Long::sum);
    tokensOut.merge(kind, meter.tokensOut(), Long::sum);
    seconds.merge(kind, tookSeconds, Double::sum);
  }

  Map<RefusalCode, Long> refusals() {
    return Map.copyOf(refusals);
  }

  Map<JobKind, Long> tokensIn() {
    return Map.copyOf(tokensIn);
  }

  Map<JobKind, Long> tokensOut() {
    return Map.copyOf(tokensOut);
  }

  Map<JobKind, Double> seconds() {
    return Map.copyOf(seconds);
  }
}
