package io.rigmesh.node.config;

/// Bounds on jobs.
///
/// @param eventsMax the most events kept of one job; progress beyond it is dropped
/// @param progressEveryMillis how often a running job's progress is written down
/// @param inputBytesMax the longest input
/// @param retryDelayMillisMax the longest pause before something that failed for now is tried again
public record JobsConfig(
    @Setting(value = "200000", help = "Most events kept of one job.") int eventsMax,
    @Setting(value = "500", help = "How often a running job's progress is written down.")
        int progressEveryMillis,
    @Setting(value = "268435456", help = "Longest input of a job.") long inputBytesMax,
    @Setting(
            value = "15000",
            help = "Longest pause before something that failed for now is tried again.")
        int retryDelayMillisMax) {}
