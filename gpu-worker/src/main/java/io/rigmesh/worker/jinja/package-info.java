/// The Jinja language as far as chat templates speak it: parsed and interpreted here, with Python's
/// semantics, bounded work and no way to anything outside the values that are handed in.
@NullMarked
package io.rigmesh.worker.jinja;

import org.jspecify.annotations.NullMarked;
