package io.rigmesh.node.config;

import java.util.List;

/// The worker processes.
///
/// @param devices the devices that get a worker
/// @param threads how many threads each worker computes with on the host, 0 for one per processor
/// @param heapMebibytesMax the worker's largest Java heap
/// @param startTimeoutSeconds how long a worker may take until it answers
/// @param restartDelayMillisMax the longest pause before a worker is started again
/// @param crashesMax how many workers one job may take down before it fails
/// @param silenceSecondsMax how long a running job may report nothing before its worker is killed
/// @param nativeCode whether workers may use the machine code for linear layers
public record WorkersConfig(
    @Setting(value = "cpu", help = "Devices that get a worker, separated by commas.")
        List<String> devices,
    @Setting(
            value = "0",
            help = "Threads that each worker computes with on the host; 0 for one per processor.")
        int threads,
    @Setting(value = "1024", help = "Largest Java heap of a worker.") int heapMebibytesMax,
    @Setting(value = "60", help = "How long a worker may take until it answers.")
        int startTimeoutSeconds,
    @Setting(value = "30000", help = "Longest pause before a worker is started again.")
        int restartDelayMillisMax,
    @Setting(value = "3", help = "Workers that one job may take down before it fails.")
        int crashesMax,
    @Setting(
            value = "600",
            help = "How long a running job may report nothing before its worker is killed.")
        int silenceSecondsMax,
    @Setting(
            value = "true",
            help =
                "Use the machine code for linear layers where this CPU can; the bits are the same without.")
        boolean nativeCode) {}
