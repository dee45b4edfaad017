package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Profile;
import io.rigmesh.scheduler.estimate.Estimate;

/// A job as the scheduler sees it.
///
/// @param job its id
/// @param kind what it asks for
/// @param profile the arithmetic
/// @param priority higher goes first
/// @param deadlineMillis Unix time by which it must be done
/// @param estimate what it will want
public record Work(
    Hash job,
    JobKind kind,
    Profile profile,
    int priority,
    long deadlineMillis,
    Estimate estimate) {}
