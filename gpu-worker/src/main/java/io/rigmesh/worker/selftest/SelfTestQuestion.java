package io.rigmesh.worker.selftest;

/// What a verifier asks to see once it has the report.
///
/// @param seed of what it samples, chosen after the report
/// @param words how many words of memory
/// @param elements how many elements of a product in f32-v1, which cost a row each to check
public record SelfTestQuestion(long seed, int words, int elements) {}
