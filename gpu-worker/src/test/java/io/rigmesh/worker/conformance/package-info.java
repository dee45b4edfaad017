/// Tests of the conformance suite, and what writes its files.
@NullMarked
package io.rigmesh.worker.conformance;

import org.jspecify.annotations.NullMarked;
