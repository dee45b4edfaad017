package io.rigmesh.worker.conformance;

import java.util.Optional;

/// How one vector of the suite went.
///
/// @param title what was run
/// @param problem what was wrong; empty where the bits are the wanted ones
public record Outcome(String title, Optional<String> problem) {}
