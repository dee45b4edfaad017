/// The self-test of a device: seeded, timed work that fills memory and multiplies matrices, whose
/// answers a verifier checks at a fraction of the cost.
@NullMarked
package io.rigmesh.worker.selftest;

import org.jspecify.annotations.NullMarked;
