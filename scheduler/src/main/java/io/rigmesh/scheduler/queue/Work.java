package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Profile;
import io.rigmesh.scheduler.estimate.Estimate;

/// A job as the scheduler sees it.
///
/// @param job its id
/// @param kind what it asks for
/// @param model the model that it runs; zero for a new one
/// @param profile the arithmetic
/// @param priority higher goes first
/// @param deadlineMillis Unix time by which it must be done
/// @param estimate what it will want
public record Work(
    Hash job,
    JobKind kind,
    Hash model,
    Profile profile,
    int priority,
    long deadlineMillis,
    Estimate estimate) {
  /// Whether the two run beside each other on one loaded model.
  boolean shares(Work other) {
    return kind == JobKind.GENERATE
        && other.kind == JobKind.GENERATE
        && profile == other.profile
        && model.equals(other.model);
  }
}
