package io.rigmesh.libp2p.resource;

import org.jspecify.annotations.Nullable;

/// What one scope holds, and its limits. Guarded by the ledger's lock.
final class Account {
  private final String name;
  private final ScopeLimits limits;
  private final Runnable emptied;
  private Usage held = Usage.NOTHING;

  /// @param emptied runs when the last thing held is given back, and when a first one is refused
  Account(String name, ScopeLimits limits, Runnable emptied) {
    this.name = name;
    this.limits = limits;
    this.emptied = emptied;
  }

  Account(String name, ScopeLimits limits) {
    this(name, limits, () -> {});
  }

  String name() {
    return name;
  }

  Usage held() {
    return held;
  }

  void forgetIfEmpty() {
    if (held.equals(Usage.NOTHING)) {
      emptied.run();
    }
  }

  /// Why this scope cannot take more, or null when it can. A resource of which nothing is asked is
  /// not looked at.
  @Nullable String refusal(Usage more) {
    String refusal =
        refusal(
            "inbound connections",
            held.connectionsInbound(),
            more.connectionsInbound(),
            limits.connectionsInboundMax());
    if (refusal == null) {
      refusal =
          refusal(
              "outbound connections",
              held.connectionsOutbound(),
              more.connectionsOutbound(),
              limits.connectionsOutboundMax());
    }
    if (refusal == null) {
      refusal =
          refusal("connections", held.connections(), more.connections(), limits.connectionsMax());
    }
    if (refusal == null) {
      refusal =
          refusal(
              "inbound streams",
              held.streamsInbound(),
              more.streamsInbound(),
              limits.streamsInboundMax());
    }
    if (refusal == null) {
      refusal =
          refusal(
              "outbound streams",
              held.streamsOutbound(),
              more.streamsOutbound(),
              limits.streamsOutboundMax());
    }
    if (refusal == null) {
      refusal = refusal("streams", held.streams(), more.streams(), limits.streamsMax());
    }
    if (refusal == null) {
      refusal =
          refusal(
              "bytes of memory", held.memoryBytes(), more.memoryBytes(), limits.memoryBytesMax());
    }
    return refusal;
  }

  private @Nullable String refusal(String what, long used, long more, long max) {
    // Subtracting keeps a huge request from overflowing.
    if (more <= 0 || more <= max - used) {
      return null;
    }
    return "The scope '"
        + name
        + "' holds "
        + used
        + " of at most "
        + max
        + " "
        + what
        + "; "
        + more
        + " more are refused";
  }

  void add(Usage more) {
    held = held.plus(more);
  }

  void subtract(Usage less) {
    held = held.minus(less);
  }
}
