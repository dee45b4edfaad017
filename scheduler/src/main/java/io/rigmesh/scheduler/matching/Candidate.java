package io.rigmesh.scheduler.matching;

import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.TokenAmount;

/// An offer that fits a job.
///
/// @param offer the offer
/// @param quote the most that the job can cost there
/// @param hasModel whether the model is there already
/// @param megaflopsPerSecond the measured speed of its fastest device that fits; 0 for not measured
public record Candidate(
    Offer offer, TokenAmount quote, boolean hasModel, long megaflopsPerSecond) {}
