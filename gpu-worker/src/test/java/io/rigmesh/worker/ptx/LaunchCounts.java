package io.rigmesh.worker.ptx;

/// What a launch did.
///
/// @param warpInstructions instructions that a warp issued
/// @param threadInstructions those times the threads that ran each together
/// @param bytesRead what threads loaded from global memory, caches left out of account
/// @param bytesWritten what threads stored to global memory
/// @param distinctRead how many different bytes those loads were of that the launch had not stored
///   itself, which is what a cache that holds everything would have to fetch; 0 unless the device
///   counts them
/// @param distinctWritten how many different bytes the stores, and atomics, were to; 0 likewise
public record LaunchCounts(
    long warpInstructions,
    long threadInstructions,
    long bytesRead,
    long bytesWritten,
    long distinctRead,
    long distinctWritten) {}
