package io.rigmesh.scheduler.queue;

/// Bounds of a scheduler.
///
/// @param queueLengthMax the most jobs that wait, over all devices
/// @param placeMillis how long an admitted job keeps its place before it is confirmed
/// @param runMillis how long a running job keeps its device without a sign of life
/// @param marginMillis how long before its deadline a job must be done
public record Limits(int queueLengthMax, long placeMillis, long runMillis, long marginMillis) {}
