package io.rigmesh.worker.generate;

/// Where and why a generation ends.
///
/// @param tokens how many tokens are generated, the last one included
/// @param reason why there are no more
public record Ending(int tokens, FinishReason reason) {}
