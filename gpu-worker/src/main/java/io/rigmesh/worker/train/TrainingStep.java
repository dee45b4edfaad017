package io.rigmesh.worker.train;

/// What one training step did.
///
/// @param step its number, the first being 0
/// @param loss the mean cross entropy of its batch before the update, in nats per token
/// @param gradientNorm the global norm of the gradients before clipping
/// @param learningRate the rate of its update
/// @param tokens how many tokens it predicted
public record TrainingStep(
    int step, float loss, float gradientNorm, double learningRate, int tokens) {}
