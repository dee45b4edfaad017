/// The conformance suite: golden vectors of every operation, every profile and whole model steps,
/// and what runs them against a backend.
@NullMarked
package io.rigmesh.worker.conformance;

import org.jspecify.annotations.NullMarked;
