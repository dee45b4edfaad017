package io.rigmesh.libp2p.resource;

/// What the whole host holds at one moment.
public record ResourceUsage(
    int inboundConnections,
    int outboundConnections,
    int transientConnections,
    int inboundStreams,
    int outboundStreams,
    long memoryBytes) {}
