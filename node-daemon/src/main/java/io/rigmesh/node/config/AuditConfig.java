package io.rigmesh.node.config;

/// Checking what others computed, before it is paid.
///
/// @param samples how many steps of each job are recomputed; 0 for none
/// @param timeoutSeconds how long the recomputation of one job may take
public record AuditConfig(
    @Setting(value = "2", help = "Steps of each job to recompute before it is paid; 0 for none.")
        int samples,
    @Setting(value = "900", help = "How long the recomputation of one job may take.")
        int timeoutSeconds) {}
