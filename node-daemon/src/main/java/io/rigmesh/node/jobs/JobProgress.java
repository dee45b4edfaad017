package io.rigmesh.node.jobs;

import java.util.OptionalDouble;

/// How far a running job is.
///
/// @param step steps done: optimiser steps, tokens made, or sentences embedded
/// @param total steps in all, 0 while it is not known
/// @param loss the last training loss, where there is one
/// @param tokensPerSecond the worker's measured speed, 0 while it is not known
public record JobProgress(long step, long total, OptionalDouble loss, double tokensPerSecond) {}
