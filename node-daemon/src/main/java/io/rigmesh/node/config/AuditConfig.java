package io.rigmesh.node.config;

/// Checking what others computed, before it is paid.
///
/// @param samples how many parts of each job are recomputed; 0 for none. A part is a segment of a
///   training from one checkpoint to the next, a token of a generation, or a sentence
/// @param timeoutSeconds how long the recomputation of one job may take
public record AuditConfig(
    @Setting(
            value = "2",
            help =
                "Segments between checkpoints, tokens or sentences of each job to recompute before it is"
                    + " paid; 0 for none.")
        int samples,
    @Setting(value = "900", help = "How long the recomputation of one job may take.")
        int timeoutSeconds) {}
