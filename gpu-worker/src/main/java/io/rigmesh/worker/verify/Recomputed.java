package io.rigmesh.worker.verify;

/// How much of the work was recomputed, all of it with the same bits.
///
/// @param checked steps, tokens or sentences
/// @param total of how many
/// @param unit what they are called, in the plural
record Recomputed(long checked, long total, String unit) {}
