package io.rigmesh.worker.ptx;

/// What a launch did.
///
/// @param warpInstructions instructions that a warp issued
/// @param threadInstructions those times the threads that ran each together
/// @param bytesRead what threads loaded from global memory, caches left out of account
/// @param bytesWritten what threads stored to global memory
public record LaunchCounts(
    long warpInstructions, long threadInstructions, long bytesRead, long bytesWritten) {}
